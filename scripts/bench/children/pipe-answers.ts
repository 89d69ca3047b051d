/** Runs in a process of its own: the far end of the bare pipe. */
import { answerTo, frame, MessageReader } from '../systems/wire.ts'

const reader = new MessageReader((message) => {
  for (const bytes of frame(answerTo(message))) process.stdout.write(bytes)
})
process.stdin.on('data', (chunk: Buffer) => reader.push(chunk))
