import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Connection } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { createDistNode } from '../../src/index.ts'
import { ConnectionUses } from '../../src/node/network/connection-uses.ts'
import { Session } from '../../src/node/network/session.ts'
import { Transport } from '../../src/node/network/transport.ts'
import { VERSION } from '../../src/node/version.ts'
import { MeshKey } from '../../src/protocol/mesh-key.ts'
import { openChannel } from '../../src/protocol/open-channel.ts'

test('the last of two conversations over one connection closes it, or cuts it when it failed', async () => {
  const ends: string[] = []
  const connection = {
    close: () => Promise.resolve(void ends.push('closed')),
    abort: (error: Error) => void ends.push(error.message)
  } as unknown as Connection
  const uses = new ConnectionUses()
  uses.begin(connection)
  uses.begin(connection)
  await uses.end(connection, new Error('broken'))
  expect(ends).toEqual([])
  await uses.end(connection)
  expect(ends).toEqual(['closed'])
  uses.begin(connection)
  await uses.end(connection, new Error('broken'))
  expect(ends).toEqual(['closed', 'broken'])
})

// What happens when two nodes dial each other at once: the second dial finds the connection of the first, and its stream
// is given up when the session turns out to be there already.
test('a second stream over the connection of a session, given up at once, does not end the session', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dist-node-uses-'))
  const password = 'quiet lantern over the marsh'
  const mesh = `uses-${process.pid}`
  const node = await createDistNode({
    password,
    mesh,
    slots: 0,
    mdns: false,
    sameHost: false,
    dir: folder,
    listen: ['/ip4/127.0.0.1/tcp/0']
  })
  const transport = await Transport.start({
    privateKey: privateKeyToProtobuf(await generateKeyPair('Ed25519')),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    proofTimeoutMs: 0,
    onStream: (stream) => stream.abort(new Error('not today'))
  })
  try {
    const localPeer = transport.addresses()[0]!.split('/p2p/')[1]!
    const { stream, connection } = await transport.dial(node.addresses, AbortSignal.timeout(10_000))
    const channel = await openChannel(stream, {
      key: await MeshKey.derive(password, mesh),
      role: 'dialler',
      localPeer,
      remotePeer: connection.remotePeer.toString()
    })
    const joined = once(node, 'peer-joined')
    const runtime = { node: process.versions.node, platform: process.platform, arch: process.arch }
    const hello = {
      type: 'hello',
      version: VERSION,
      name: 'other',
      slots: 0,
      sandbox: 'none',
      runtime
    } as const
    const session = await Session.open(channel, hello, { address: node.addresses[0]!, localPeer })
    await joined

    const second = await transport.dial(node.addresses, AbortSignal.timeout(10_000))
    expect(second.connection.id).toBe(connection.id)
    second.stream.abort(new Error('connected already'))

    // By the time several pings are answered the node has seen the stream end.
    let answers = 0
    const answered = Promise.withResolvers<void>()
    const end = session.run({
      onMessage: () => undefined,
      onRtt: () => {
        if (++answers === 1) session.measure()
        else answered.resolve()
      }
    })
    await Promise.race([answered.promise, end])
    expect(node.peers.map(({ name }) => name)).toEqual(['other'])
    await session.close('done')
  } finally {
    await node.stop()
    await transport.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
