/** Runs in a process of its own: the far end of the bare libp2p stream. */
import { attach, BENCH_PROTOCOL, createBareLibp2p } from '../systems/libp2p-stream.ts'
import { answerTo } from '../systems/wire.ts'

const libp2p = await createBareLibp2p()
await libp2p.handle(BENCH_PROTOCOL, (stream) => {
  const wire = attach(stream, (message) => void wire.send(answerTo(message)))
})
console.log(String(libp2p.getMultiaddrs()[0]))
process.on('SIGTERM', () => process.exit(0))
