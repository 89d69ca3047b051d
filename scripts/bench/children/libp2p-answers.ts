/** Runs in a process of its own: the far end of the bare libp2p stream. */
import { Transport } from '../../../src/node/transport.ts'
import { attach, bareTransport } from '../systems/libp2p-stream.ts'
import { answerTo } from '../systems/wire.ts'

const init = await bareTransport((stream) => {
  const wire = attach(stream, (message) => void wire.send(answerTo(message)))
})
const transport = await Transport.start(init)
console.log(transport.addresses()[0])
process.on('SIGTERM', () => process.exit(0))
