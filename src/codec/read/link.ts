import { builtinModuleName } from '../builtins.ts'
import type { Link, LoadTarget } from '../unit.ts'

/** Where links lead. */
export interface ModuleSource {
  builtin(name: string): unknown
  /** What a bundle exports under a name; it is evaluated when first asked. */
  member(hash: string, name: string): unknown
}

/** Finds what the links of a unit stand for, in order. */
export function linkAll(links: Readonly<Record<string, Link>>, modules: ModuleSource): unknown[] {
  return Object.values(links).map((link) => resolveLink(link, modules))
}

function resolveLink(link: Link, modules: ModuleSource): unknown {
  switch (link.kind) {
    case 'builtin':
      return part(modules.builtin(link.module), link.name, link.module)
    case 'bundle':
      return modules.member(link.hash, link.name)
    case 'load':
      return link.how === 'import' ? makeImport(link.targets, modules) : makeRequire(link.targets, modules)
    case 'meta':
      return describeModule(link.url)
    default:
      return link satisfies never
  }
}

/** What `import { name } from` a built-in module gives. */
function part(module: unknown, name: string, moduleName: string): unknown {
  if (name === 'default') return module
  if (name === '*') return namespaceOf(module as object)
  const value: unknown = Reflect.get(module as object, name)
  if (value === undefined)
    throw new SyntaxError(`node:${moduleName} does not provide an export named '${name}'`)
  return value
}

function namespaceOf(module: object): object {
  return Object.freeze({ __proto__: null, ...module, default: module })
}

function makeImport(targets: Readonly<Record<string, LoadTarget>>, modules: ModuleSource) {
  return async (specifier: unknown): Promise<unknown> => {
    const found = findTarget(String(specifier), targets)
    if (found.kind === 'bundle') return modules.member(found.hash, found.name)
    return namespaceOf(modules.builtin(found.module) as object)
  }
}

function makeRequire(targets: Readonly<Record<string, LoadTarget>>, modules: ModuleSource) {
  return (specifier: unknown): unknown => {
    const found = findTarget(String(specifier), targets)
    return found.kind === 'bundle' ? modules.member(found.hash, found.name) : modules.builtin(found.module)
  }
}

function findTarget(specifier: string, targets: Readonly<Record<string, LoadTarget>>): LoadTarget {
  const target = Object.hasOwn(targets, specifier) ? targets[specifier] : undefined
  if (target !== undefined) return target
  const module = builtinModuleName(specifier)
  if (module !== undefined) return { kind: 'builtin', module }
  throw moduleNotFound(specifier, 'a module travels with a function only when its name is written out in it')
}

export function moduleNotFound(specifier: string, reason: string): Error {
  return Object.assign(new Error(`Cannot find module '${specifier}': ${reason}`), {
    code: 'MODULE_NOT_FOUND'
  })
}

function describeModule(url: string): object {
  const isFile = url.startsWith('file:')
  const filename = isFile ? decodeURIComponent(new URL(url).pathname) : undefined
  return {
    __proto__: null,
    ...(filename === undefined ? {} : { dirname: filename.replace(/\/[^/]*$/, '') || '/', filename }),
    main: false,
    resolve: (specifier: string) => new URL(specifier, url).href,
    url
  }
}
