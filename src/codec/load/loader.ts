import { readFileSync } from 'node:fs'
import {
  createRequire,
  findPackageJSON,
  type LoadHookContext,
  registerHooks,
  type ResolveHookContext,
  SourceMap
} from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { transformSync, TransformOptions, TransformResult } from 'esbuild'
import { rememberSourceMap } from './source-maps.ts'
import { resolveLoosely } from './resolve-loosely.ts'
import { findTsconfig } from './tsconfig.ts'

export interface TypeScriptOptions {
  /** Modules that stand in where a file's own folders have none of that name: specifier to URL. @default none */
  readonly fallbacks?: Readonly<Record<string, string>>
}

/** Syntax that is more than types and so cannot be blanked out; what matches by accident is transformed, which is harmless. */
const MORE_THAN_TYPES =
  /\benum\s+[\w$]+\s*\{|\b(?:namespace|module)\s+[\w$.]+\s*\{|^\s*(?:export\s+(?:default\s+)?)?@[\w$(]|\b(?:public|private|protected|readonly|override)\s+(?:(?:readonly|override)\s+)?[\w$]+\s*[?:,)=]|\bimport\s+[\w$]+\s*=|^\s*export\s*=|\baccessor\s+[\w$#]/m

/** Which of the two kinds of modules somebody wrote, whatever the package says: `npm init` makes all of them CommonJS. */
const MODULE_SYNTAX =
  /^\s*(?:import\s*["'{*]|import\s+[\w$]+\s*(?:,|from\b)|import\s+type\b|export\s+(?![=])|export\s*[{*])/m
const COMMONJS_SYNTAX =
  /\brequire\s*\(|\bmodule\.exports\b|^\s*exports\.|\b__(?:dir|file)name\b|^\s*export\s*=/m

let registered: { deregister(): void } | undefined

/**
 * Lets this process import TypeScript of any flavour from now on: enums, namespaces, parameter properties, decorators,
 * JSX, imports without extension and `paths` of tsconfig.json. Files that hold nothing but types besides JavaScript stay
 * with Node, which leaves every position as it is; the others are transformed, with a source map.
 *
 * Call it before importing the user's file. Calling it twice does nothing.
 */
export function registerTypeScript(options: TypeScriptOptions = {}): void {
  registered ??= registerHooks({
    resolve: (specifier, context, next) => resolve(specifier, context, next, options.fallbacks ?? {}),
    load: (url, context, next) => load(url, context, next)
  })
}

type NextResolve = (
  specifier: string,
  context?: Partial<ResolveHookContext>
) => { url: string; format?: string | null | undefined }

function resolve(
  specifier: string,
  context: ResolveHookContext,
  next: NextResolve,
  fallbacks: Readonly<Record<string, string>>
) {
  try {
    return next(specifier, context)
  } catch (error) {
    const found = isInPackage(context.parentURL) ? undefined : resolveLoosely(specifier, context.parentURL)
    const fallback = found ?? (Object.hasOwn(fallbacks, specifier) ? fallbacks[specifier] : undefined)
    if (fallback === undefined) throw error
    return next(fallback, context)
  }
}

type NextLoad = (
  url: string,
  context?: Partial<LoadHookContext>
) => ReturnType<Parameters<typeof registerHooks>[0]['load'] & {}>

function load(url: string, context: LoadHookContext, next: NextLoad): ReturnType<NextLoad> {
  const extension = /\.(tsx|jsx|js|[mc]?ts|json)$/.exec(url.replace(/[?#].*$/, ''))?.[1]
  if (extension === undefined || !url.startsWith('file:') || isInPackage(url)) return next(url, context)
  // Compilers and bundlers import JSON without the attribute that Node asks for.
  if (extension === 'json') return next(url, { ...context, importAttributes: { type: 'json' } })
  if (extension === 'js' && context.format !== 'commonjs') return next(url, context)
  const path = fileURLToPath(url)
  const source = readFileSync(path, 'utf8')
  if (extension === 'js' || (!extension.endsWith('x') && !MORE_THAN_TYPES.test(source)))
    return next(
      url,
      isModuleByMistake(context, source) ? { ...context, format: MODULE[extension]! } : context
    )
  const isModule = findFormat(url, extension, source) === 'module'
  const { code, map } = transform(source, {
    loader: extension.endsWith('sx') ? (extension as 'tsx' | 'jsx') : 'ts',
    sourcefile: path,
    sourcemap: 'external',
    sourcesContent: false,
    target: 'node24',
    format: isModule ? 'esm' : 'cjs',
    tsconfigRaw: JSON.stringify({ compilerOptions: findTsconfig(path)?.compilerOptions ?? {} }),
    logLevel: 'silent'
  })
  rememberSourceMap(url, path, new SourceMap(JSON.parse(map)))
  const inline = Buffer.from(map).toString('base64')
  const mapped = `${code}\n//# sourceMappingURL=data:application/json;base64,${inline}\n`
  // Errors thrown in this process show the file as written too.
  process.setSourceMapsEnabled(true)
  return { format: isModule ? 'module' : 'commonjs', source: mapped, shortCircuit: true }
}

/** What Node calls the formats. */
const MODULE: Readonly<Record<string, string>> = { js: 'module', ts: 'module-typescript' }

/** Node would refuse it: the package says CommonJS, and the file says `import`. */
function isModuleByMistake({ format }: LoadHookContext, source: string): boolean {
  return format?.startsWith('commonjs') === true && hasModuleSyntax(source)
}

function hasModuleSyntax(source: string): boolean {
  return MODULE_SYNTAX.test(source) && !COMMONJS_SYNTAX.test(source)
}

/** Loaded when first needed: most programs need nothing but types taken out, which Node does itself. */
function transform(source: string, options: TransformOptions): TransformResult {
  const esbuild = createRequire(import.meta.url)('esbuild') as { transformSync: typeof transformSync }
  return esbuild.transformSync(source, options)
}

function findFormat(url: string, extension: string, source: string): 'module' | 'commonjs' {
  if (extension === 'mts') return 'module'
  if (extension === 'cts') return 'commonjs'
  const packageFile = findPackageJSON(url)
  // Where there is none up to the root, Node 26 answers with the file itself.
  const isPackageFile = packageFile !== undefined && basename(packageFile) === 'package.json'
  const type: unknown = isPackageFile ? JSON.parse(readFileSync(packageFile, 'utf8')).type : undefined
  if (type === 'module') return type
  if (type === 'commonjs') return hasModuleSyntax(source) ? 'module' : type
  return /^\s*(?:import|export)\b/m.test(source) ? 'module' : 'commonjs'
}

function isInPackage(url: string | undefined): boolean {
  return url?.includes('/node_modules/') === true
}
