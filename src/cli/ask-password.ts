import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { EXIT, ExitError } from './exit.ts'

/** The mesh's password as it is typed on the terminal, without echo, or else all of stdin. */
export async function askPassword(): Promise<string> {
  if (!process.stdin.isTTY) return (await new Response(process.stdin as never).text()).trim()
  process.stderr.write("The mesh's password: ")
  // What is typed goes nowhere.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true })
  const interrupted = new AbortController()
  reader.on('SIGINT', () => interrupted.abort())
  try {
    return (await reader.question('', { signal: interrupted.signal })).trim()
  } catch {
    throw new ExitError(EXIT.interrupted, '')
  } finally {
    reader.close()
    process.stderr.write('\n')
  }
}
