/**
 * The build: types to dist/ by the compiler, programs by esbuild. What users load comes as few files (hundreds of small
 * ones would take Node longer to find and link than a job takes to run), parts that are not always needed in chunks of
 * their own. The worker's child entry is one file with all it imports, because the sandbox shows a worker process
 * nothing but that file and Node itself.
 */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { build, type BuildOptions } from 'esbuild'

const root = new URL('..', import.meta.url).pathname
process.chdir(root)
rmSync('dist', { recursive: true, force: true })
execFileSync('tsc', ['--project', 'tsconfig.json', '--emitDeclarationOnly'], { stdio: 'inherit' })

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  legalComments: 'none',
  logLevel: 'warning'
}

await Promise.all([
  build({
    ...common,
    entryPoints: ['src/index.ts', 'src/testing.ts', 'src/cli/main.ts'],
    outbase: 'src',
    outdir: 'dist',
    format: 'esm',
    splitting: true,
    // As deep as the modules they are made of, so that what is found relative to them is found from here too.
    chunkNames: 'chunks/[name]-[hash]',
    // A program of its own, and loaded by few.
    external: ['esbuild'],
    // For the CommonJS packages inside.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"
    }
  }),
  build({
    ...common,
    entryPoints: ['src/worker/child/main.ts'],
    outfile: 'dist/worker/child.cjs',
    format: 'cjs'
  })
])
