import { execFile } from 'node:child_process'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { missingRights } from '../../scripts/lan/rights.ts'

const MAIN = new URL('../../scripts/lan/main.ts', import.meta.url).pathname

const lan = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(process.execPath, [MAIN, ...args])).stdout

describe.skipIf(missingRights())('the command of the laboratory', () => {
  test('up, list, exec, cut, heal, down', async () => {
    const folder = /files in (.*)$/m.exec(await lan('up', '--hosts', 'alice,bob'))![1]!
    const name = basename(folder)
    try {
      expect(await lan('--lab', name, 'exec', 'alice', 'hostname')).toBe('alice\n')
      await lan('--lab', name, 'cut', 'bob')
      await lan('--lab', name, 'drop', 'alice', '5')
      expect(await lan('--lab', name, 'list')).toMatch(
        /^alice +10\.77\.0\.1 +drops 5 %\nbob +10\.77\.0\.2 +cut\n$/
      )
      await lan('--lab', name, 'heal')
      expect(await lan('--lab', name, 'list')).toMatch(/^alice +\S+ +well\nbob +\S+ +well\n$/)
      await expect(lan('--lab', name, 'exec', 'bob', 'sh', '-c', 'exit 7')).rejects.toMatchObject({ code: 7 })
      await expect(lan('--lab', name, 'cut', 'carol')).rejects.toMatchObject({
        stderr: expect.stringContaining('no host carol; there are alice, bob')
      })
    } finally {
      await lan('--lab', name, 'down')
    }
    await expect(lan('--lab', name, 'list')).rejects.toMatchObject({ code: 1 })
  })
})
