// Runs in the worker process.
import { words } from '../words.ts'

export const NET_OPTION = '--allow-net'
export const READ_OPTION = '--allow-fs-read DIR'

/** Built-in modules that compute and reach nothing outside: they are in a job what they are anywhere. */
const OPEN = new Set(
  words(`
  assert assert/strict buffer console constants crypto diagnostics_channel events path path/posix
  path/win32 perf_hooks process punycode querystring readline readline/promises stream
  stream/consumers stream/promises stream/web string_decoder sys timers timers/promises url util
  util/types vm zlib _stream_duplex _stream_passthrough _stream_readable _stream_transform
  _stream_wrap _stream_writable
`)
)

/** Modules of which only some functions are refused. */
const DENIED_PARTS: Record<string, readonly string[]> = {
  async_hooks: ['createHook', 'executionAsyncResource'],
  os: ['setPriority', 'userInfo'],
  worker_threads: ['Worker']
}

/** Modules of which only these functions and classes stay. */
const ALLOWED_PARTS: Record<string, readonly string[]> = {
  module: ['builtinModules', 'isBuiltin', 'createRequire', 'SourceMap', 'constants'],
  v8: words(`
  serialize deserialize Serializer Deserializer DefaultSerializer DefaultDeserializer
  getHeapStatistics getHeapSpaceStatistics getHeapCodeStatistics cachedDataVersionTag
  isStringOneByteRepresentation constants
`)
}

const NET = new Set(
  words(`
  net http https http2 dgram dns dns/promises tls quic
`)
)

export interface Rights {
  readonly net: boolean
  readonly read: readonly string[]
}

/** What happens to a built-in module before a job first sees it. */
export type Policy =
  | { readonly kind: 'open' }
  | { readonly kind: 'denied'; readonly option: string | undefined }
  | { readonly kind: 'reduced'; readonly isDenied: (name: string) => boolean }

const PASS: Policy = { kind: 'open' }

/** A module nobody has judged, as those of a future Node, is refused. */
export function policyOf(name: string, rights: Rights): Policy {
  if (OPEN.has(name)) return PASS
  const deniedParts = DENIED_PARTS[name]
  if (deniedParts !== undefined) {
    return { kind: 'reduced', isDenied: (part) => deniedParts.includes(part) }
  }
  const allowedParts = ALLOWED_PARTS[name]
  if (allowedParts !== undefined) {
    return { kind: 'reduced', isDenied: (part) => !allowedParts.includes(part) }
  }
  if (NET.has(name) || /^_(http|tls)_/.test(name))
    return rights.net ? PASS : { kind: 'denied', option: NET_OPTION }
  if (name === 'fs' || name === 'fs/promises') {
    return rights.read.length > 0 ? PASS : { kind: 'denied', option: READ_OPTION }
  }
  return { kind: 'denied', option: undefined }
}
