/**
 * Runs in a process of its own: so many nodes that lend nothing. Says how long it took until each was connected to
 * all others, and what share of a core each costs afterwards. Arguments: nodes, folder, seconds to watch.
 */
import { createDistNode, makePassword } from 'dist-node'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const [countText, folder = '', secondsText] = process.argv.slice(2)
const count = Number(countText)
const password = makePassword()
const started = performance.now()
const nodes = await Promise.all(
  Array.from({ length: count }, (_, at) =>
    createDistNode({
      password,
      mesh: `bench-${process.pid}`,
      name: `node-${at}`,
      dir: join(folder, `node-${at}`),
      slots: 0,
      mdns: false,
      listen: ['/ip4/127.0.0.1/tcp/0']
    })
  )
)
console.error(`created ${Math.round(performance.now() - started)} ms`)
await Promise.all(nodes.map((node) => allPeers(node)))
console.log(`joined ${Math.round(performance.now() - started)} ms`)

await setTimeout(2_000)
const before = process.cpuUsage()
const watchedMs = Number(secondsText) * 1000
await setTimeout(watchedMs)
const { user, system } = process.cpuUsage(before)
console.log(`idle ${((100 * (user + system)) / 1000 / watchedMs / count).toFixed(4)} %`)
await Promise.all(nodes.map((node) => node.stop()))

async function allPeers(node: (typeof nodes)[number]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const check = (): void => {
    if (node.peers.length === count - 1) resolve()
  }
  node.on('peer-joined', check)
  check()
  await promise
}
