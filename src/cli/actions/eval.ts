import { builtinModules } from 'node:module'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DistNode, type Job, job, type JobResult, loadJobsFile, UsageError } from '../../index.ts'
import { EXIT } from '../exit.ts'
import { createNode } from '../create-node.ts'
import { errorText } from '../error-text.ts'
import { interruptSignal } from '../interrupt.ts'
import { log } from '../log.ts'
import { valueText, visible } from '../output.ts'
import { resultLine } from '../result-json.ts'
import type { MeshOptions, SandboxOptions } from '../mesh-options.ts'

export interface EvalOptions extends MeshOptions, SandboxOptions {
  each?: boolean
  wait: number
  exit: (code: number) => void
}

export async function evaluate(code: string, options: EvalOptions): Promise<void> {
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const { node, password } = await createNode(options, { lend: false })
  const folder = await mkdtemp(join(tmpdir(), 'dist-node-eval-'))
  try {
    const fn = job(await loadFunction(code, folder), [])
    forwardOutput(node)
    if (!password) log.info('no password: running on this machine alone (dist-node init makes a mesh)')
    if (options.each === true) await node.whenSettled({ timeoutMs: options.wait, signal })
    const results =
      options.each === true ? await node.everywhere(fn, { signal }) : [await once(node, fn, signal)]
    for (const result of results) show(result, options)
    if (results.some(({ status }) => status === 'error')) options.exit(EXIT.jobFailed)
  } finally {
    await node.stop('done')
    await rm(folder, { recursive: true })
    dispose()
  }
}

/** As `node.call`, but with where it ran. */
async function once(node: DistNode, fn: Job, signal: AbortSignal): Promise<JobResult> {
  for await (const result of node.run([fn], { signal })) return result
  throw new Error('a job without a result')
}

/** What the function prints, with the node it ran on. */
function forwardOutput(node: DistNode): void {
  node.on('warning', (message) => log.warn(message))
  node.on('log', ({ node: name, text }) => {
    for (const line of text.replace(/\n$/, '').split('\n')) log.info(`[${name}] ${line}`, { node: name })
  })
}

function show(result: JobResult, options: EvalOptions): void {
  if (options.json === true) console.log(resultLine(result))
  else if (result.status === 'error') log.error(`${result.node}: ${errorText(result.error)}`)
  else {
    const value = valueText(result.value, process.stdout.hasColors?.() ?? false)
    console.log(options.each === true ? `${visible(result.node)}: ${value}` : value)
  }
}

/** Code becomes a module of its own, so that it may be TypeScript and prints as any other function does. */
async function loadFunction(code: string, folder: string): Promise<() => unknown> {
  const mayBeFunction = /^\s*(async\s+)?(function\b|(\([^)]*\)|[\w$]+)\s*(:[^=]+)?=>)/.test(code)
  const file = join(folder, 'eval.ts')
  // Whether it is one, and not a call of one, shows when it is there; nothing of it may run here.
  const expression = mayBeFunction
    ? `async () => { const value: unknown = (${code}); return typeof value === 'function' ? value() : value }`
    : `async () => (${code})`
  await writeFile(file, `${builtinImports(code)}export default [${expression}]\n`)
  const { jobs } = await loadJobsFile(file).catch((error: unknown) => {
    const { cause } = error as Error
    if (!(cause instanceof SyntaxError)) throw error
    throw new UsageError(`expected an expression or a function, got '${code}': ${cause.message}`, { cause })
  })
  const [fn] = jobs as (() => unknown)[]
  return fn!
}

/** `os.hostname()` needs no import here, as it needs none with `node --eval`. */
function builtinImports(code: string): string {
  const isUsed = (name: string): boolean => new RegExp(`(?<![\\w$.])${name}\\.`).test(code)
  return builtinModules
    .filter((name) => /^[a-z]+$/.test(name) && !(name in globalThis) && isUsed(name))
    .map((name) => `import ${name} from 'node:${name}'; `)
    .join('')
}
