// Runs in the worker process, before any job.
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { NET_OPTION } from './builtin-policy.ts'
import type { Rights } from './builtin-policy.ts'
import { Builtins, replace } from './builtins.ts'
import { denialOf } from './denial.ts'
import { reduceProcess } from './process-object.ts'

type Print = (stream: 'stdout' | 'stderr', text: string) => void

export interface Realm {
  /** Gives a built-in module by its name without `node:`. */
  readonly requireBuiltin: (name: string) => unknown
}

/**
 * Makes this process a place for jobs: ordinary Node, minus what reaches outside.
 *
 * This is help and a second wall, not the boundary: it turns "access denied" from somewhere deep into an error that says
 * what to do. The boundary is the kernel's namespaces and Node's permission model, see SECURITY.md. Only at level
 * `permission` does more depend on it.
 */
export function reduceRealm(rights: Rights, print: Print): Realm {
  const builtins = new Builtins(rights)
  const streams = { stdout: printStream('stdout', print), stderr: printStream('stderr', print) }
  reduceProcess(builtins.get, streams)
  redirectConsole(streams)
  if (!rights.net) {
    for (const name of ['fetch', 'WebSocket', 'EventSource']) {
      // Deleted first: to define one over Node's own would load its whole HTTP client, half of the time a start takes.
      Reflect.deleteProperty(globalThis, name)
      replace(globalThis, name, denialOf(name, NET_OPTION))
    }
  }
  for (const name of ['localStorage', 'sessionStorage']) Reflect.deleteProperty(globalThis, name)
  builtins.hookImports()
  // Some modules are known by their full name only.
  return { requireBuiltin: (name) => builtins.require(`node:${name}`) }
}

function printStream(stream: 'stdout' | 'stderr', print: Print): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, _encoding, done) {
      print(stream, typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'))
      done()
    }
  })
}

/** The console object stays the same, for those who hold it; its methods write to the submitter. */
function redirectConsole(streams: { stdout: Writable; stderr: Writable }): void {
  const redirected = new Console({ ...streams, colorMode: false }) as unknown as Record<string, unknown>
  for (const key of Object.keys(redirected)) {
    if (typeof redirected[key] === 'function' && key !== 'Console') replace(console, key, redirected[key])
  }
}
