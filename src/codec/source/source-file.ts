import { parse, type Node } from 'acorn'
import { children, isFunctionNode } from './syntax.ts'

/** A name imported by a file: what it stands for. */
export interface ImportedName {
  readonly specifier: string
  /** `default`, `*` for the namespace, or the exported name. */
  readonly name: string
}

/** What the text of a function does not tell and its file does. */
export interface SourceFile {
  readonly url: string
  readonly source: string
  readonly isModule: boolean
  readonly imports: ReadonlyMap<string, ImportedName>
  /** Of names that are exported in a list: what they are called here. */
  readonly exports: ReadonlyMap<string, string>
  /** Names exported straight from other modules. */
  readonly reexports: ReadonlyMap<string, ImportedName>
  /** Modules of which everything is exported. */
  readonly allFrom: readonly string[]
  /** Offset at which each line begins. */
  readonly lineStarts: readonly number[]
  /** Offsets between which code is strict by a directive. */
  readonly strictRanges: ReadonlyArray<readonly [start: number, end: number]>
}

/** @param isModule when known: a function that captures nothing does not tell, but import and export do */
export function readSourceFile(url: string, source: string, isModule: boolean): SourceFile {
  const imports = new Map<string, ImportedName>()
  const exports = new Map<string, string>()
  const reexports = new Map<string, ImportedName>()
  const allFrom: string[] = []
  const strictRanges: [number, number][] = []
  const asWritten = parseBody(source, isModule)
  const body = asWritten ?? parseBody(source, !isModule) ?? []
  for (const node of body) {
    if (node.type === 'ImportDeclaration') listImports(node, imports)
    if (node.type === 'ExportNamedDeclaration') listExports(node, exports, reexports)
    if (node.type === 'ExportAllDeclaration') listAll(node, reexports, allFrom)
    // A file that says so at its head; directives of inner functions are part of their own text.
    if (Reflect.get(node, 'directive') === 'use strict') strictRanges.push([0, source.length])
  }
  const isReally = asWritten === undefined && body.length > 0 ? !isModule : isModule
  return {
    url,
    source,
    isModule: isReally,
    imports,
    exports,
    reexports,
    allFrom,
    lineStarts: findLineStarts(source),
    strictRanges
  }
}

/** Where a function's own text begins in its file; -1 when the file has other text there. */
export function findText(file: SourceFile, text: string, line: number, column: number): number {
  // V8 tells where the parameters of a function begin, or the constructor of a class: its text began before.
  const near = (file.lineStarts[line] ?? 0) + column
  const start = file.source.lastIndexOf(text, near)
  return start !== -1 && start + text.length >= near ? start : -1
}

export function positionOf(file: SourceFile, offset: number): { line: number; column: number } {
  let low = 0
  let high = file.lineStarts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((file.lineStarts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return { line: low, column: offset - (file.lineStarts[low] ?? 0) }
}

/** Is `this` at an offset of a module that of a function or class around it? */
export function hasOuterThis(file: SourceFile, offset: number): boolean {
  if (offset === -1) return true
  const surrounds = (node: Node): boolean => {
    if (offset < node.start || offset >= node.end) return false
    if (isFunctionNode(node) || node.type === 'ClassBody') return true
    return children(node).some(surrounds)
  }
  // Parsed once more, because it is rarely asked and trees of large files are not worth keeping.
  return parseBody(file.source, true)?.some(surrounds) ?? true
}

/** Undefined for syntax that the parser does not know: functions of such a file still travel, without its imports. */
export function parseBody(source: string, isModule: boolean): readonly Node[] | undefined {
  const shared = { ecmaVersion: 'latest', allowHashBang: true, ranges: true } as const
  try {
    return parse(source, {
      ...shared,
      sourceType: isModule ? 'module' : 'script',
      allowReturnOutsideFunction: !isModule
    }).body
  } catch {
    return undefined
  }
}

function listImports(node: Node, imports: Map<string, ImportedName>): void {
  const specifier: string = Reflect.get(Reflect.get(node, 'source') as object, 'value')
  for (const each of Reflect.get(node, 'specifiers') as Node[]) {
    const local: string = Reflect.get(Reflect.get(each, 'local') as object, 'name')
    imports.set(local, { specifier, name: importedName(each) })
  }
}

function listExports(node: Node, exports: Map<string, string>, reexports: Map<string, ImportedName>): void {
  const source: object | null = Reflect.get(node, 'source')
  for (const each of Reflect.get(node, 'specifiers') as Node[]) {
    const [local, exported] = [textOf(Reflect.get(each, 'local')), textOf(Reflect.get(each, 'exported'))]
    if (source === null) exports.set(exported, local)
    else reexports.set(exported, { specifier: textOf(source), name: local })
  }
}

/** `export * from` and `export * as name from`. */
function listAll(node: Node, reexports: Map<string, ImportedName>, allFrom: string[]): void {
  const specifier = textOf(Reflect.get(node, 'source'))
  const exported: object | null = Reflect.get(node, 'exported')
  if (exported === null) allFrom.push(specifier)
  else reexports.set(textOf(exported), { specifier, name: '*' })
}

function importedName(specifier: Node): string {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  if (specifier.type === 'ImportNamespaceSpecifier') return '*'
  return textOf(Reflect.get(specifier, 'imported'))
}

/** Of a name, or of a text that stands for one. */
function textOf(name: object): string {
  return String(Reflect.get(name, 'name') ?? Reflect.get(name, 'value'))
}

function findLineStarts(source: string): number[] {
  const starts = [0]
  for (let index = 0; index < source.length; index++) {
    const code = source.charCodeAt(index)
    if (code === 0x0a || code === 0x2028 || code === 0x2029) starts.push(index + 1)
    else if (code === 0x0d && source.charCodeAt(index + 1) !== 0x0a) starts.push(index + 1)
  }
  return starts
}
