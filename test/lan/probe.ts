/**
 * Runs in a host of the laboratory: answers TCP connections and multicast, and on command (a line on standard input)
 * tries them: `reach ADDRESS`, `shout TEXT`, `fetch ADDRESS BYTES`. Says what happened, a line each.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'

const TCP_PORT = 7000
const GROUP = '224.0.0.251'
const GROUP_PORT = 7001
const REACH_TIMEOUT_MS = 400

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {})
  socket.on('data', (request) => {
    const bytes = Number(request.toString())
    socket.write(bytes > 0 ? Buffer.alloc(bytes) : 'hello')
  })
})
await once(server.listen(TCP_PORT, '0.0.0.0'), 'listening')

const group = createSocket({ type: 'udp4', reuseAddr: true })
await new Promise<void>((resolve) => group.bind(GROUP_PORT, resolve))
group.addMembership(GROUP)
group.setMulticastLoopback(false)
group.on('message', (message, from) => console.log(`heard ${message.toString()} from ${from.address}`))

/** Milliseconds from the start of the connection to the last byte of the answer. */
async function fetchBytes(address: string, bytes: number, timeoutMs: number): Promise<number> {
  const startMs = performance.now()
  const signal = AbortSignal.timeout(timeoutMs)
  const socket = connect({ port: TCP_PORT, host: address, noDelay: true })
  try {
    await once(socket, 'connect', { signal })
    socket.write(String(bytes))
    for (let received = 0; received < Math.max(1, bytes);) {
      const [chunk] = (await once(socket, 'data', { signal })) as [Buffer]
      received += chunk.length
    }
    return performance.now() - startMs
  } finally {
    socket.destroy()
  }
}

console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, what = '', bytes = '0'] = line.split(' ')
  if (verb === 'shout') group.send(what, GROUP_PORT, GROUP)
  if (verb === 'reach' || verb === 'fetch') {
    const timeoutMs = verb === 'reach' ? REACH_TIMEOUT_MS : 10_000
    const outcome = await fetchBytes(what, Number(bytes), timeoutMs).then(
      (ms) => `reached ${what} in ${ms.toFixed(1)} ms`,
      (error) => `failed ${what}: ${error.code ?? error.message}`
    )
    console.log(outcome)
  }
}
process.exit(0)
