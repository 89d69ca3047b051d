/**
 * The build: TypeScript to dist/, one file in, one file out. Two of them are then bundled with all they import: the
 * worker's child entry, because the sandbox shows a worker process nothing but that file and Node itself, and the
 * part of libp2p we use, because it loads three times as fast.
 */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { build } from 'esbuild'

const root = new URL('..', import.meta.url).pathname
process.chdir(root)
rmSync('dist', { recursive: true, force: true })
execFileSync('tsc', ['--project', 'tsconfig.json'], { stdio: 'inherit' })

/** One program in one file. `require` is for the CommonJS packages inside. */
function bundle(entry: string, outfile: string, format: 'cjs' | 'esm'): Promise<unknown> {
  const banner =
    "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
  return build({
    entryPoints: [entry],
    outfile,
    format,
    bundle: true,
    platform: 'node',
    target: 'node24',
    legalComments: 'none',
    logLevel: 'warning',
    ...(format === 'esm' ? { banner: { js: banner } } : {})
  })
}

await Promise.all([
  bundle('src/worker/child/main.ts', 'dist/worker/child.cjs', 'cjs'),
  bundle('src/node/libp2p.ts', 'dist/node/libp2p.js', 'esm')
])
