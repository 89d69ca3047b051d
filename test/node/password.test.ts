import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { formatKeyring, parseKeyring, withNewPassword } from '../../src/node/password/keyring.ts'
import { MeshKeys } from '../../src/node/network/mesh-keys.ts'
import { correctPassword, makePassword, publicPart } from '../../src/node/password/password-format.ts'
import {
  findPassword,
  locatePassword,
  passwordFile,
  rotatePassword,
  storePassword
} from '../../src/node/password/password.ts'
import { weakness } from '../../src/node/password/weak-password.ts'

const strong = 'quiet lantern over the marsh'
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dist-node-password-'))
  vi.stubEnv('XDG_CONFIG_HOME', join(folder, 'config'))
  for (const name of ['DIST_NODE_PASSWORD_FILE', 'DIST_NODE_PASSWORD', 'CREDENTIALS_DIRECTORY'])
    vi.stubEnv(name, '')
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

function write(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name)
  writeFileSync(path, text, { mode })
  chmodSync(path, mode)
  return path
}

describe('generated passwords', () => {
  test('have 100 secret bits, a public part and check characters', () => {
    const passwords = Array.from({ length: 100 }, makePassword)
    for (const password of passwords) {
      expect(password).toMatch(/^dn1(-[0-9A-HJKMNP-TV-Z]{5}){5}-[0-9A-HJKMNP-TV-Z]{2}$/)
      expect(correctPassword(password)).toBe(password)
      expect(weakness(password)).toBeUndefined()
      expect(publicPart(password)).toBe(password.slice(0, 9))
    }
    expect(new Set(passwords).size).toBe(100)
  })

  test('are understood in lower case and with letters that look like digits', () => {
    const password = makePassword()
    expect(correctPassword(` ${password.toLowerCase()}\n`)).toBe(password)
    expect(correctPassword(password.replaceAll('0', 'O').replaceAll('1', 'l').replace('dnl', 'dn1'))).toBe(
      password
    )
  })

  test('with a typing error are refused, nearly always', () => {
    const refused = Array.from({ length: 200 }, () => {
      const password = makePassword()
      const wrong = password[12] === 'A' ? 'B' : 'A'
      return correctPassword(password.slice(0, 12) + wrong + password.slice(13)) === undefined
    })
    expect(refused.filter(Boolean).length).toBeGreaterThan(190)
  })

  test('other passwords are left alone', () => {
    for (const password of [strong, 'dn1-a password for tests', 'dn1-ABCDE']) {
      expect(correctPassword(password)).toBe(password)
      expect(publicPart(password)).toBeUndefined()
    }
  })
})

test.each([
  'short', 'elevenchars', 'aaaaaaaaaaaaaaaa', 'abababababababab', 'abcabcabcabcabc', 'password1234', 'Passw0rd!2024',
  'passwordpassword', '123456789012', '1234567890qwerty', 'qwertyuiopasdfghjkl', 'abcdefghijklmnop', 'administrator1',
  'letmein letmein', 'Welcome2025!!', 'iloveyou1234', 'dist-node-mesh'
])('%s is weak', (password) => {
  expect(weakness(password)).toBeTypeOf('string')
}) // prettier-ignore

test.each([
  strong,
  'correct horse battery staple',
  'dn1-a password for tests',
  'f3a9c1d27b604e58f3a9c1d27b604e59',
  'k8#vQz!pL2wX'
])('%s is not', (password) => {
  expect(weakness(password)).toBeUndefined()
})

describe('sources', () => {
  test('the first that has a password wins', async () => {
    expect(await findPassword()).toBeUndefined()
    vi.stubEnv('DIST_NODE_PASSWORD', ' the environment has one ')
    expect(await locatePassword()).toMatchObject({
      password: 'the environment has one',
      warning: expect.any(String)
    })
    await storePassword('the stored password')
    expect(await findPassword()).toBe('the stored password')
    mkdirSync(join(folder, 'credentials'))
    vi.stubEnv('CREDENTIALS_DIRECTORY', join(folder, 'credentials'))
    expect(await findPassword()).toBe('the stored password')
    write('credentials/dist-node', 'the credential of the unit\n', 0o400)
    expect(await findPassword()).toBe('the credential of the unit')
    vi.stubEnv('DIST_NODE_PASSWORD_FILE', write('named', 'the file in the environment\n'))
    expect(await findPassword()).toBe('the file in the environment')
    const file = write('option', 'the file of the option\n')
    expect(await locatePassword({ file })).toEqual({ password: 'the file of the option', file })
  })

  test('a password stored elsewhere closes no folder that was there before; its own it does', async () => {
    mkdirSync(join(folder, 'shared'), { mode: 0o777 })
    chmodSync(join(folder, 'shared'), 0o777)
    await storePassword(strong, { path: join(folder, 'shared', 'password') })
    expect(statSync(join(folder, 'shared')).mode & 0o777).toBe(0o777)
    mkdirSync(dirname(passwordFile()), { recursive: true, mode: 0o755 })
    await storePassword(strong)
    expect(statSync(dirname(passwordFile())).mode & 0o777).toBe(0o700)
  })

  test('a named file has to be there', async () => {
    await expect(findPassword({ file: join(folder, 'nowhere') })).rejects.toThrow('ENOENT')
  })

  test('weak passwords need a word more', async () => {
    const file = write('weak', 'hunter2\n')
    await expect(findPassword({ file })).rejects.toThrow('expected at least 12')
    expect(await findPassword({ file, allowWeak: true })).toBe('hunter2')
  })

  test.each([
    ['group-readable', (path: string) => chmodSync(path, 0o640), 'chmod 600'],
    ['world-readable', (path: string) => chmodSync(path, 0o604), 'chmod 600'],
    ['group-writable', (path: string) => chmodSync(path, 0o620), 'chmod 600'],
    ['a folder', (path: string) => (rmSync(path), mkdirSync(path)), 'not a regular file'],
    [
      'a FIFO nobody writes to',
      (path: string) => (rmSync(path), execFileSync('mkfifo', ['-m', '600', path])),
      'not a regular file'
    ],
    [
      'a symbolic link',
      (path: string) => (rmSync(path), symlinkSync(write('target', strong), path)),
      'symbolic link'
    ],
    ['empty', (path: string) => writeFileSync(path, ' \n'), 'empty'],
    ['large', (path: string) => writeFileSync(path, 'x'.repeat(5_000)), 'not a password']
  ])('a file that is %s is refused', async (_, spoil, why) => {
    const file = write('spoilt', strong)
    spoil(file)
    await expect(findPassword({ file })).rejects.toThrow(why)
  })

  test.runIf(process.getuid?.() === 0)("somebody else's file is refused", async () => {
    const file = write('theirs', strong)
    execFileSync('chown', ['65534', file])
    await expect(findPassword({ file })).rejects.toThrow('somebody else')
  })

  test('no message repeats a password', async () => {
    const secret = 'ZQXJ-VKWP-HFGB'
    for (const text of [
      `1:${secret}\n1:${secret}`,
      `${secret}\n${secret}`,
      `x:${secret}\ny`,
      `99999999999:${secret}\nz`
    ]) {
      const refusal = await findPassword({ file: write('bad', text) }).catch((error: Error) => error.message)
      expect(refusal).toBeTypeOf('string')
      expect(refusal).not.toContain('ZQXJ')
    }
  })
})

describe('stored passwords', () => {
  test('are for their owner alone', async () => {
    const path = await storePassword(strong)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    expect(readFileSync(path, 'utf8')).toBe(`${strong}\n`)
    await expect(storePassword('another strong one, truly')).rejects.toThrow('exists already')
    await expect(storePassword('weak')).rejects.toThrow('easy to guess')
  })

  test('a rotation keeps the old password for a while; join takes the new one in on other machines', async () => {
    const path = await storePassword(strong)
    const { line } = await rotatePassword(60_000)
    expect(line).toMatch(/^1:dn1-/)
    const here = parseKeyring(readFileSync(path, 'utf8'))
    expect(here.entries).toEqual([
      { epoch: 1, password: line.slice(2) },
      { epoch: 0, password: strong }
    ])
    expect(here.olderUntilMs).toBeGreaterThan(Date.now())
    expect(statSync(path).mode & 0o777).toBe(0o600)

    const elsewhere = join(folder, 'elsewhere', 'password')
    await storePassword(strong, { path: elsewhere })
    await storePassword(line, { path: elsewhere })
    expect(parseKeyring(readFileSync(elsewhere, 'utf8')).entries).toEqual(here.entries)
    await expect(storePassword(line, { path: elsewhere })).rejects.toThrow('epoch 1 already')
    const fresh = join(folder, 'fresh', 'password')
    await storePassword(line, { path: fresh })
    expect(parseKeyring(readFileSync(fresh, 'utf8')).entries).toEqual([here.entries[0]])
  })

  test('a revocation keeps nothing', async () => {
    const path = await storePassword(strong)
    await rotatePassword(60_000)
    const { line } = await rotatePassword(0)
    expect(readFileSync(path, 'utf8')).toBe(`${line}\n`)
    expect(line.startsWith('2:')).toBe(true)
  })

  test('without a password there is nothing to rotate', async () => {
    await expect(rotatePassword()).rejects.toThrow('dist-node init')
  })
})

describe('keyrings', () => {
  test('are written as they are read', () => {
    const keyring = withNewPassword(
      parseKeyring(strong),
      { epoch: 3, password: 'new' },
      1_000,
      Date.UTC(2030, 0, 1)
    )
    expect(parseKeyring(formatKeyring(keyring))).toEqual(keyring)
    expect(parseKeyring(formatKeyring(parseKeyring(strong)))).toEqual({
      entries: [{ epoch: 0, password: strong }]
    })
    expect(parseKeyring('7:only one')).toEqual({ entries: [{ epoch: 7, password: 'only one' }] })
  })

  test('older keys are accepted until their time is up', async () => {
    const text =
      '1:the new password\n0:the old password\n# older passwords are accepted until 2030-01-01T00:00:00.000Z'
    const keys = await MeshKeys.derive(text, 'default')
    const until = Date.UTC(2030, 0, 1)
    expect(keys.accepted(until - 1).map(({ epoch }) => epoch)).toEqual([1, 0])
    expect(keys.accepted(until).map(({ epoch }) => epoch)).toEqual([1])
  })
})
