/**
 * Runs in the relay machine of the laboratory: holds every frame that comes out of a slow port's tunnel for the time
 * told on standard input, then passes it on through the port's other tunnel. See delay-line.ts.
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { createInterface } from 'node:readline'
import { innerPort, outerPort } from './delay-line.ts'
import { completeChecksum } from './frame-checksum.ts'

/** A tunnelled frame starts after this: flags and network number of VXLAN (RFC 7348). */
const VXLAN_HEADER_BYTES = 8

interface Order {
  port: number
  delayMs: number
  jitterMs: number
}

const switchAddress = process.argv[2]!
const delays = new Map<number, Order>()

async function open(udpPort: number): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 4 * 1024 * 1024,
    sendBufferSize: 4 * 1024 * 1024
  })
  await new Promise<void>((resolve) => socket.bind(udpPort, resolve))
  return socket
}

function pass(port: number, from: Socket, to: Socket, toUdpPort: number): void {
  // Jitter never makes a frame overtake the one before it: a cable does not.
  const held: Buffer[] = []
  let lastReleaseMs = 0
  from.on('message', (packet) => {
    completeChecksum(packet.subarray(VXLAN_HEADER_BYTES))
    const { delayMs, jitterMs } = delays.get(port)!
    const nowMs = performance.now()
    const holdMs = Math.max(0, delayMs + jitterMs * (2 * Math.random() - 1))
    lastReleaseMs = Math.max(lastReleaseMs, nowMs + holdMs)
    held.push(packet)
    setTimeout(() => to.send(held.shift()!, toUdpPort, switchAddress), lastReleaseMs - nowMs)
  })
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order
  const isNew = !delays.has(order.port)
  delays.set(order.port, order)
  if (isNew) {
    const inner = await open(innerPort(order.port))
    const outer = await open(outerPort(order.port))
    pass(order.port, inner, outer, outerPort(order.port))
    pass(order.port, outer, inner, innerPort(order.port))
  }
  console.log(`port ${order.port} delayed`)
}
process.exit(0)
