import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { registerTypeScript } from '../codec/load/loader.ts'
import { readScriptsAhead } from '../codec/source/script-sources.ts'
import { UsageError } from './errors.ts'
import type { JobLike } from './run/job.ts'
import type { RunOptions } from './options.ts'
import type { JobResult } from './run/result.ts'

/** What a jobs file exports. */
export interface JobsFile {
  /** The jobs, read lazily. */
  readonly jobs: Iterable<JobLike> | AsyncIterable<JobLike>
  /** The file's export `options` and, as its `setup`, the export `setup`. */
  readonly options: RunOptions
  /** Gets the results here, for example to write them to files. */
  readonly collect: ((results: AsyncIterable<JobResult>) => unknown) | undefined
}

/** By then the first worker process has been spawned, and this one has to wait until it is ready. */
const READ_AHEAD_AFTER_MS = 20

/** This package, as seen from dist/node and from src/node alike. */
const OWN_LIBRARY = new URL(import.meta.url.endsWith('.ts') ? '../index.ts' : '../index.js', import.meta.url)
  .href

/**
 * Imports a jobs file and checks what it exports.
 *
 * @param file path of a JavaScript or TypeScript file
 * @param args what follows `--` on the command line; given to a `default` export that is a function
 * @throws {UsageError} when the file cannot be read or parsed, or does not export jobs
 * @example
 * const { jobs, options } = await loadJobsFile('jobs.ts', ['1200'])
 * for await (const { value } of node.run(jobs, options)) console.log(value)
 */
export async function loadJobsFile(file: string, args: readonly string[] = []): Promise<JobsFile> {
  // Where no folder has `dist-node` installed, the file gets the running command's own.
  registerTypeScript({ fallbacks: { 'dist-node': OWN_LIBRARY } })
  const module = await importFile(file)
  setTimeout(readScriptsAhead, READ_AHEAD_AFTER_MS).unref()
  const { default: exported, setup, options, collect } = module
  if (args.length > 0 && typeof exported !== 'function' && exported !== undefined)
    throw new UsageError(
      `${file} takes no arguments, got '${args.join(' ')}': its default export is no function, which could get them`
    )
  const made =
    typeof exported === 'function' ? await (exported as (args: readonly string[]) => unknown)(args) : exported
  if (!isIterable(made)) {
    throw new UsageError(
      `${file}: expected the default export to be an iterable of jobs (or a function that returns one), ` +
        `got ${made === undefined ? 'none' : typeof made}; for example: export default [() => 6 * 7]`
    )
  }
  for (const [name, value] of Object.entries({ setup, collect })) {
    if (value !== undefined && typeof value !== 'function') {
      throw new UsageError(`${file}: expected the export ${name} to be a function, got ${typeof value}`)
    }
  }
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw new UsageError(
      `${file}: expected the export options to be an object, got ${options === null ? 'null' : typeof options}; for example: { retries: 2 }`
    )
  }
  return {
    jobs: made as Iterable<JobLike>,
    options: {
      ...(options as RunOptions),
      ...(setup === undefined ? {} : { setup: setup as () => unknown })
    },
    collect: collect as JobsFile['collect']
  }
}

async function importFile(file: string): Promise<Record<string, unknown>> {
  const url = pathToFileURL(resolve(file)).href
  try {
    return (await import(url)) as Record<string, unknown>
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    const missing =
      (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' &&
      error.message.includes(`'${resolve(file)}'`)
    if (missing) throw new UsageError(`${file}: no such file`, { cause })
    if ((error as NodeJS.ErrnoException).code === 'ERR_UNSUPPORTED_DIR_IMPORT')
      throw new UsageError(`${file} is a folder; expected a JavaScript or TypeScript file`, { cause })
    // For a syntax error Node puts the line at fault in front.
    const [head] = (error.stack ?? error.message).split(/\n\s+at /)
    throw new UsageError(`${file} cannot be loaded: ${head}`, { cause })
  }
}

function isIterable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.iterator in value || Symbol.asyncIterator in value
}
