import { type InspectorEvent, InspectorSession } from '../print/inspector-session.ts'

export interface Script {
  readonly url: string
  readonly source: string
}

/** Of this process, by V8's number for each. */
const scripts = new Map<string, Script>()

const UNKNOWN: Script = { url: '', source: '' }

/**
 * The sources of this process's scripts as V8 compiled them, types stripped. Turning the debugger on takes tens of
 * milliseconds, so all files of the program are read at once; those of packages, which are many and rarely needed, when
 * one of them is.
 */
export class ScriptSources {
  readonly #session: InspectorSession

  constructor(session: InspectorSession) {
    this.#session = session
  }

  get(scriptId: string): Script {
    if (!scripts.has(scriptId)) this.#read(isOfPackage)
    if (!scripts.has(scriptId)) this.#read(() => false)
    return scripts.get(scriptId) ?? UNKNOWN
  }

  /** The script that was loaded from a URL, if any was. */
  idOf(url: string): string | undefined {
    if (scripts.size === 0) this.#read(isOfPackage)
    for (const [scriptId, script] of scripts) if (script.url === url) return scriptId
    return undefined
  }

  #read(isLeftOut: (url: string) => boolean): void {
    const urls = new Map<string, string>()
    const onEvent = ({ method, params }: InspectorEvent): void => {
      if (method !== 'Debugger.scriptParsed') return
      const { scriptId, url } = params as { scriptId: string; url: string }
      urls.set(scriptId, url)
    }
    this.#session.withDebugger(onEvent, () => {
      for (const [scriptId, url] of urls) {
        if (!scripts.has(scriptId) && !isLeftOut(url))
          scripts.set(scriptId, { url, source: this.#sourceOf(scriptId, url) })
      }
    })
  }

  #sourceOf(scriptId: string, url: string): string {
    if (url.startsWith('node:')) return ''
    const { scriptSource } = this.#session.post<{ scriptSource: string }>('Debugger.getScriptSource', {
      scriptId
    })
    return scriptSource
  }
}

/**
 * Reads now what the first function printed would have to wait for. It takes tens of milliseconds: for a moment in which
 * this process waits for something else.
 */
export function readScriptsAhead(): void {
  if (scripts.size === 0) new ScriptSources(new InspectorSession()).idOf('')
}

function isOfPackage(url: string): boolean {
  return url.includes('/node_modules/')
}
