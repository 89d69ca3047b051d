import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export interface Tsconfig {
  readonly compilerOptions: CompilerOptions
  /** Folder that `paths` are relative to. */
  readonly base: string
}

interface CompilerOptions {
  readonly baseUrl?: string
  readonly paths?: Readonly<Record<string, readonly string[]>>
  readonly [option: string]: unknown
}

const found = new Map<string, Tsconfig | undefined>()

/** The tsconfig.json that governs a file: the nearest above it, with what it extends. */
export function findTsconfig(file: string): Tsconfig | undefined {
  const folder = dirname(file)
  if (found.has(folder)) return found.get(folder)
  const path = join(folder, 'tsconfig.json')
  const config = existsSync(path)
    ? readTsconfig(path)
    : folder === dirname(folder)
      ? undefined
      : findTsconfig(folder)
  found.set(folder, config)
  return config
}

/** Files that `paths` may mean by a specifier, without extension. */
export function resolvePaths(specifier: string, parent: string): string[] {
  const config = findTsconfig(parent)
  const { paths = {}, baseUrl } = config?.compilerOptions ?? {}
  if (config === undefined) return []
  const candidates: string[] = []
  for (const [pattern, targets] of Object.entries(paths)) {
    const [before = '', after] = pattern.split('*')
    const matches =
      after === undefined ? specifier === pattern : specifier.startsWith(before) && specifier.endsWith(after)
    if (!matches) continue
    const middle = after === undefined ? '' : specifier.slice(before.length, specifier.length - after.length)
    candidates.push(...targets.map((target) => resolve(config.base, target.replace('*', middle))))
  }
  if (baseUrl !== undefined) candidates.push(resolve(config.base, specifier))
  return candidates
}

function readTsconfig(path: string): Tsconfig {
  const { extends: parents, compilerOptions = {} } = parseJsonWithComments(readFileSync(path, 'utf8')) as {
    extends?: string | string[]
    compilerOptions?: CompilerOptions
  }
  const folder = dirname(path)
  const inherited = (parents === undefined ? [] : [parents].flat())
    .filter((parent) => parent.startsWith('.') || parent.startsWith('/'))
    .map((parent) => resolve(folder, parent.endsWith('.json') ? parent : `${parent}.json`))
    .filter((parent) => existsSync(parent))
    .map(readTsconfig)
  const own = compilerOptions.paths !== undefined || compilerOptions.baseUrl !== undefined
  const base = own ? resolve(folder, compilerOptions.baseUrl ?? '.') : (inherited.at(-1)?.base ?? folder)
  return {
    base,
    compilerOptions: Object.assign({}, ...inherited.map((each) => each.compilerOptions), compilerOptions)
  }
}

/** JSON as tsconfig.json has it: with comments and trailing commas. */
function parseJsonWithComments(text: string): unknown {
  const bare = text
    .replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[^]*?\*\//g, (_match, string?: string) => string ?? '')
    .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_match, string?: string) => string ?? '')
  return JSON.parse(bare)
}
