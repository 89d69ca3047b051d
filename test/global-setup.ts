import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

/**
 * Before all tests: the worker's child entry as the build makes it, from the sources as they are now, in a folder that
 * `nobody` may read too, as whom root runs jobs. The returned function removes it after the last test.
 */
export default async function setUp(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'dist-node-test-'))
  chmodSync(folder, 0o755)
  const outfile = join(folder, 'child.cjs')
  await build({
    entryPoints: [join(import.meta.dirname, '../src/worker/child/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    logLevel: 'warning'
  })
  process.env['DIST_NODE_TEST_CHILD'] = outfile
  return () => rmSync(folder, { recursive: true, force: true })
}
