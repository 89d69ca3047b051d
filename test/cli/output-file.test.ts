import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ExitError } from '../../src/cli/exit.ts'
import { OutputFile } from '../../src/cli/output-file.ts'

test('what was written is there after the end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dist-node-out-'))
  try {
    const file = await OutputFile.open(join(folder, 'lines'))
    file.write('one\n')
    if (!file.write('x'.repeat(100_000))) await file.room()
    await file.close()
    expect(readFileSync(join(folder, 'lines'), 'utf8')).toBe(`one\n${'x'.repeat(100_000)}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a file that cannot be made says so in a sentence', async () => {
  await expect(OutputFile.open('/no/such/folder/lines')).rejects.toThrow(
    new ExitError(2, '/no/such/folder/lines cannot be written: no such file or directory')
  )
})

// Every write to it finds a full disk.
test.runIf(existsSync('/dev/full'))(
  'a full disk ends the wait for room and the end, once and for all',
  async () => {
    const file = await OutputFile.open('/dev/full')
    file.write('x'.repeat(100_000))
    await expect(file.room()).rejects.toThrow('/dev/full cannot be written: no space left on device')
    expect(file.write('more')).toBe(true)
    await expect(file.close()).rejects.toThrow('no space left on device')
  }
)
