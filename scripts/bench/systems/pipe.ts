/** A bare pipe to a process, the least there is between two processes of Node. */
import { once } from 'node:events'
import { childFile, end, start } from '../child.ts'
import { frame, MessageReader, type Wire } from './wire.ts'

export async function startPipe(): Promise<Wire> {
  const child = await start(process.execPath, [childFile('pipe-answers.ts')])
  const { stdin, stdout } = child
  if (stdin === null || stdout === null) throw new Error('the child has no pipes')
  let answered: (message: Uint8Array) => void = () => undefined
  const reader = new MessageReader((message) => answered(message))
  stdout.on('data', (chunk: Buffer) => reader.push(chunk))
  return {
    name: 'bare pipe',
    details: 'standard input and output of a Node process',
    async exchange(message): Promise<Uint8Array> {
      const { promise, resolve } = Promise.withResolvers<Uint8Array>()
      answered = resolve
      let isFull = false
      for (const bytes of frame(message)) isFull = !stdin.write(bytes)
      if (isFull) await once(stdin, 'drain')
      return await promise
    },
    [Symbol.asyncDispose]: () => end(child)
  }
}
