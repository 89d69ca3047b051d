/**
 * The build: TypeScript to dist/, one file in, one file out; then the worker's child entry as one bundled file,
 * because the sandbox shows a worker process nothing but that file and Node itself.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

const root = new URL('..', import.meta.url).pathname
process.chdir(root)
rmSync('dist', { recursive: true, force: true })
execFileSync('tsc', ['--project', 'tsconfig.json'], { stdio: 'inherit' })

const childEntry = 'src/worker/child/main.ts'
if (existsSync(childEntry)) {
  await build({
    entryPoints: [childEntry],
    outfile: 'dist/worker/child.cjs',
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    legalComments: 'none',
    logLevel: 'warning'
  })
}
