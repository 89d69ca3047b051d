import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { Command } from 'commander'
import { storePassword, UsageError } from '../../index.ts'
import { EXIT, ExitError } from '../exit.ts'

export function addJoin(program: Command): void {
  program
    .command('join')
    .description('store a password made on another machine (asked for without echo, or read from stdin)')
    .action(async () => {
      const password = await askPassword()
      if (password === '') throw new UsageError('no password was given')
      const path = await storePassword(password)
      console.error(`Stored in ${path}, readable by you alone. Next: dist-node start`)
    })
}

async function askPassword(): Promise<string> {
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
