import type { SourceMap } from 'node:module'

interface MappedFile {
  readonly path: string
  readonly map: SourceMap
}

/** Files of this process that run in another form than they were written in, by URL. */
const files = new Map<string, MappedFile>()

export function rememberSourceMap(url: string, path: string, map: SourceMap): void {
  files.set(url, { path, map })
}

const POSITION = /(file:\/\/[^\s():]+|\/[^\s():]+):(\d+):(\d+)/g

/** Puts positions as written in place of positions as run, in the text of a stack that came from elsewhere. */
export function mapStack(stack: string): string {
  if (files.size === 0) return stack
  return stack.replace(POSITION, (position: string, url: string, line: string, column: string) => {
    const file = files.get(url) ?? files.get(`file://${url}`)
    const entry = file?.map.findEntry(Number(line) - 1, Number(column) - 1)
    if (file === undefined || entry === undefined || !('originalLine' in entry)) return position
    return `${url}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
  })
}
