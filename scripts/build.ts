/**
 * The build: types to dist/ by the compiler, programs by esbuild. What users load comes as few files (hundreds of small
 * ones would take Node longer to find and link than a job takes to run), parts that are not always needed in chunks of
 * their own. The worker's child entry is one file with all it imports, because the sandbox shows a worker process
 * nothing but that file and Node itself.
 */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { build, type BuildOptions, type Plugin } from 'esbuild'
import type * as Program from '../src/cli/program.ts'

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
    entryPoints: ['src/index.ts', 'src/testing.ts', 'src/cli/program.ts'],
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
  // One file, and without the banner, which would load more of Node: most of what `--version` takes is finding files.
  build({
    ...common,
    entryPoints: ['src/cli/main.ts'],
    outfile: 'dist/cli/main.js',
    format: 'esm',
    plugins: [asBuilt('./program.ts', './program.js')]
  }),
  build({
    ...common,
    entryPoints: ['src/worker/child/main.ts'],
    outfile: 'dist/worker/child.cjs',
    format: 'cjs'
  })
])

// Out of what has just been built; `src/cli/prepared-answers.ts` reads it.
const { prepareAnswers } = (await import('../dist/cli/program.js')) as typeof Program
writeFileSync('dist/cli/answers.json', JSON.stringify(prepareAnswers()))

/** A file that is built by itself, left where it is. */
function asBuilt(source: string, built: string): Plugin {
  const filter = new RegExp(`^${source.replaceAll('.', '[.]')}$`)
  return {
    name: 'as built',
    setup: (building) => building.onResolve({ filter }, () => ({ path: built, external: true }))
  }
}
