import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

let built: Promise<string> | undefined

/** The child entry as the build makes it, from the sources as they are now; readable for nobody, as whom root runs jobs. */
export function childFile(): Promise<string> {
  built ??= buildChild()
  return built
}

async function buildChild(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'dist-node-test-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  const outfile = join(folder, 'child.cjs')
  await build({
    entryPoints: [new URL('../../src/worker/child/main.ts', import.meta.url).pathname],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    logLevel: 'warning'
  })
  return outfile
}
