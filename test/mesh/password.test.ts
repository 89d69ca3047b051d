import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TestMesh } from './harness.ts'

describe('the password of a mesh', () => {
  test('init makes one, start uses it, join stores it elsewhere, nothing of it is in an argument', async () => {
    await using mesh = new TestMesh()
    const init = mesh.command(['init'])
    expect(await init.exit(), init.stderr).toBe(0)
    const [password = ''] = init.lines
    expect(password).toMatch(/^dn1-/)
    expect(init.lines.length).toBe(1)
    const stored = join(mesh.folder, 'home', '.config', 'dist-node', 'password')
    expect(statSync(stored).mode & 0o777).toBe(0o600)

    const env = { XDG_CONFIG_HOME: join(mesh.folder, 'other') }
    const join1 = mesh.command(['join'], { env })
    join1.child.stdin!.end(`${password.toLowerCase()}\n`)
    expect(await join1.exit(), join1.stderr).toBe(0)
    const again = mesh.command(['init'])
    expect(await again.exit()).toBe(2)
    expect(again.stderr).toContain('exists already')
    for (const { stderr } of [init, join1, again]) expect(stderr).not.toContain(password.slice(9))

    const wrong = mesh.command(['join'], { env: { XDG_CONFIG_HOME: join(mesh.folder, 'third') } })
    wrong.child.stdin!.end(`${password.slice(0, -2)}${password.endsWith('A0') ? 'B1' : 'A0'}\n`)
    expect(await wrong.exit()).toBe(2)
    expect(wrong.stderr).toContain('typing error')
  })

  test('a running mesh changes over to a new password, and a revoked one is out at once', async () => {
    await using mesh = new TestMesh()
    const files = {
      a: mesh.writePassword('a', 'the first password of all'),
      b: mesh.writePassword('b', 'the first password of all')
    }
    const [a, b] = await Promise.all([
      mesh.start('a', { passwordFile: files.a }),
      mesh.start('b', { passwordFile: files.b })
    ])
    await a.event('peer-joined')
    // Machine by machine: while only one has the new password, the old one still connects them.
    mesh.writePassword('a', '1:the second password of all\n0:the first password of all\n')
    await a.command.until(({ stderr }) => stderr.includes('has changed'))
    mesh.writePassword('b', '1:the second password of all\n')
    await b.command.until(({ stderr }) => stderr.includes('has changed'))
    // b accepts epoch 0 no more, so it drops the session and they meet again with epoch 1.
    await b.event('peer-left')
    const joinedTwice = (lines: string[]): boolean =>
      lines.filter((line) => line.includes('"peer-joined"')).length === 2
    await a.command.until(({ lines }) => joinedTwice(lines))
    await b.command.until(({ lines }) => joinedTwice(lines))

    mesh.writePassword('a', '2:the third password of all\n')
    await a.command.until(({ stderr }) => stderr.split('has changed').length === 3)
    await a.command.until(({ lines }) => lines.filter((line) => line.includes('"peer-left"')).length === 2)
    await a.event('peer-refused', ({ code }) => code === 'UNKNOWN_EPOCH')
    expect(a.events.filter(({ event }) => event === 'peer-joined').length).toBe(2)
  })

  test('rotate prints a line that join takes', async () => {
    await using mesh = new TestMesh()
    const init = mesh.command(['init'])
    await init.exit()
    const rotate = mesh.command(['rotate', '--grace', '2h'])
    expect(await rotate.exit(), rotate.stderr).toBe(0)
    expect(rotate.lines[0]).toMatch(/^1:dn1-/)
    const env = { XDG_CONFIG_HOME: join(mesh.folder, 'other') }
    for (const line of [init.lines[0], rotate.lines[0]]) {
      const command = mesh.command(['join'], { env })
      command.child.stdin!.end(line)
      expect(await command.exit(), command.stderr).toBe(0)
    }
  })
})
