/** On a terminal: tmux is one; without it the test is skipped. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const COMMAND = join(import.meta.dirname, '../../bin/dist-node.mjs')
const hasTmux = spawnSync('tmux', ['-V']).status === 0

test.runIf(hasTmux)(
  'the moving lines stand below everything that is printed, and are gone at the end',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dist-node-live-'))
    const tmux = (...args: string[]): string =>
      execFileSync('tmux', ['-S', join(folder, 'socket'), ...args], { encoding: 'utf8' })
    const until = async (shows: RegExp): Promise<string> => {
      for (;;) {
        const screen = tmux('capture-pane', '-p').trimEnd()
        if (shows.test(screen)) return screen
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    try {
      writeFileSync(
        join(folder, 'jobs.ts'),
        `import { existsSync } from 'node:fs'
       const spin = (ms: number) => { const end = performance.now() + ms; while (performance.now() < end); }
       export default Array.from({ length: 40 }, (_, n) => () => { spin(50); return n })
       export async function collect(results: AsyncIterable<unknown>) {
         process.stdout.write('half a ')
         let count = 0
         for await (const _ of results) if (++count === 10) console.log('line')
         console.log('collected', count)
       }`
      )
      const env = ['HOME', 'XDG_RUNTIME_DIR'].flatMap((name) => ['-e', `${name}=${folder}`])
      tmux('new-session', '-d', '-x', '80', '-y', '24', ...env, 'env -u CI sh')
      tmux('send-keys', `${process.execPath} ${COMMAND} run ${folder}/jobs.ts --slots 1; echo over`, 'Enter')
      const during = await until(/of 40 /)
      expect(during).toMatch(/half a line\njobs\.ts ━+─+ {2}\d+ of 40 {2}.*\n .*●/)
      const after = await until(/^over$/m)
      expect(after).toMatch(/half a line\ncollected 40\n40 done in /)
      expect(after).not.toMatch(/of 40|●/)
    } finally {
      tmux('kill-server')
      rmSync(folder, { recursive: true, force: true })
    }
  }
)
