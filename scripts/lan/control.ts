/**
 * How the commands of `scripts/lan/main.ts` reach the process that owns a laboratory: a socket in its folder, one
 * request and one answer per connection, each a line of JSON.
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Answer {
  readonly ok: boolean
  readonly text: string
}

const socketOf = (labFolder: string): string => join(labFolder, 'control.sock')

/** Answers requests until the server is closed. Only the folder's owner can open its socket. */
export async function serve(
  labFolder: string,
  answer: (words: string[]) => Promise<string | void>
): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    createInterface({ input: socket }).once('line', (line) => {
      void answer(JSON.parse(line) as string[])
        .then(
          (text): Answer => ({ ok: true, text: text ?? '' }),
          (error: Error): Answer => ({ ok: false, text: error.message })
        )
        .then((reply) => socket.end(`${JSON.stringify(reply)}\n`))
    })
  })
  await once(server.listen(socketOf(labFolder)), 'listening')
  return server
}

/** @throws Error when the laboratory does not answer, or with what it could not do */
export async function request(labFolder: string, words: readonly string[]): Promise<string> {
  const socket = connect(socketOf(labFolder))
  await once(socket, 'connect')
  socket.write(`${JSON.stringify(words)}\n`)
  const [line] = (await once(createInterface({ input: socket }), 'line')) as [string]
  socket.end()
  const answer = JSON.parse(line) as Answer
  if (!answer.ok) throw new Error(answer.text)
  return answer.text
}
