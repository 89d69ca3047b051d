/** The node that scale.ts measures. Arguments: password, mesh, folder. Answers each message with what it has cost. */
import { createDistNode } from '../../src/index.ts'

const [password = '', mesh = '', folder = ''] = process.argv.slice(2)
const node = await createDistNode({
  password,
  mesh,
  dir: folder,
  name: 'hub',
  slots: 0,
  mdns: false,
  listen: ['/ip4/127.0.0.1/tcp/0']
})
// Who reads `node.peers` has them asked for signs of life, which would be measured as well.
let peers = 0
node.on('peer-joined', () => peers++)
node.on('peer-left', () => peers--)
process.on('message', () => {
  globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  process.send?.({
    cpuMs: (user + system) / 1000,
    residentMb: process.memoryUsage.rss() / 2 ** 20,
    peers
  })
})
// Who measures may be killed.
process.on('disconnect', () => process.exit())
process.send?.(node.addresses)
