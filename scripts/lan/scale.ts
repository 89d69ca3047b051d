/**
 * What one node costs in meshes of many sizes: a real node in a process of its own, and in this one as many peers as asked
 * for, which know the password, say hello, answer pings and do nothing else. What a mesh costs as a whole follows from it,
 * because every node has a session with every other.
 *
 *     unshare -n sh -c 'ip link set lo up && node scripts/lan/scale.ts 50 100 250 500 1000'
 *
 * (in a network of its own, so that the bytes counted are those of the measurement).
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { MeshKey } from '../../src/protocol/mesh-key.ts'
import { openChannel } from '../../src/protocol/open-channel.ts'
import { generateKeyPair, privateKeyToProtobuf } from '../../src/node/network/libp2p.ts'
import { Heartbeat } from '../../src/node/network/heartbeat.ts'
import { Session } from '../../src/node/network/session.ts'
import { Transport } from '../../src/node/network/transport.ts'
import { VERSION } from '../../src/node/version.ts'

const PASSWORD = 'a password for measuring only, five words'
const MESH = 'scale'
/** Long enough for each peer to be asked whether it is there, as idle ones are. */
const IDLE_MS = 30_000
/** Peers that join at the same time. */
const AT_ONCE = 8

interface HubAnswer {
  readonly cpuMs: number
  readonly residentMb: number
  readonly peers: number
}

const folder = mkdtempSync(join(tmpdir(), 'dist-node-scale-'))
const hub = fork(new URL('scale-hub.ts', import.meta.url), [PASSWORD, MESH, folder], {
  execArgv: ['--expose-gc']
})
const [addresses] = (await once(hub, 'message')) as [string[]]
const key = await MeshKey.derive(PASSWORD, MESH)
const sessions: Session[] = []
const heartbeat = new Heartbeat(() => sessions)

async function ask(): Promise<HubAnswer> {
  hub.send('tell')
  const [answer] = (await once(hub, 'message')) as [HubAnswer]
  return answer
}

/** The node takes no more than 64 connections a second from one machine. */
async function dial(transport: Transport): ReturnType<Transport['dial']> {
  for (let tries = 1; ; tries++) {
    try {
      return await transport.dial(addresses, AbortSignal.timeout(30_000))
    } catch (error) {
      if (tries === 20) throw error
      await elapsed(250)
    }
  }
}

async function joinHub(number: number): Promise<void> {
  const privateKey = privateKeyToProtobuf(await generateKeyPair('Ed25519'))
  const transport = await Transport.start({
    privateKey,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    proofTimeoutMs: 0,
    onStream: (stream) => stream.abort(new Error('peers of the measurement are not dialled'))
  })
  const { stream, connection } = await dial(transport)
  const own = transport.addresses()
  const localPeer = own[0]!.split('/p2p/')[1]!
  const remotePeer = connection.remotePeer.toString()
  const channel = await openChannel(stream, { key, role: 'dialler', localPeer, remotePeer })
  const runtime = { node: process.versions.node, platform: process.platform, arch: process.arch }
  const hello = {
    type: 'hello',
    version: VERSION,
    name: `peer ${number}`,
    slots: 0,
    sandbox: 'none',
    runtime
  } as const
  const session = await Session.open(channel, hello, { address: addresses[0]!, localPeer })
  session.send({ type: 'peers', peers: [{ id: localPeer, addresses: own }] })
  sessions.push(session)
  void session.run({ onMessage: () => undefined, onRtt: () => {} })
}

/** Bytes that went over the loopback, both directions of every connection. */
function loopbackBytes(): number {
  const line = readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .find((each) => each.trim().startsWith('lo:'))
  return Number(line?.trim().split(/\s+/)[1] ?? 0)
}

console.log(
  '| peers | CPU of one join | memory | of one peer | idle | traffic, idle |\n| --- | --- | --- | --- | --- | --- |'
)
let before = await ask()
let first: { readonly size: number; readonly residentMb: number } | undefined
for (const size of process.argv.slice(2).map(Number)) {
  const from = sessions.length
  while (sessions.length < size) {
    const batch = Math.min(AT_ONCE, size - sessions.length)
    await Promise.all(Array.from({ length: batch }, (_, at) => joinHub(sessions.length + at)))
  }
  const joined = await ask()
  await elapsed(2_000)
  const [quiet, bytes] = [await ask(), loopbackBytes()]
  await elapsed(IDLE_MS)
  const [idle, idleBytes] = [await ask(), loopbackBytes() - bytes]
  const perJoin = (joined.cpuMs - before.cpuMs) / (size - from)
  const { residentMb } = idle
  // The first size is not told: until then the process grows for other reasons.
  const perPeer =
    first === undefined
      ? ''
      : `${(((residentMb - first.residentMb) * 1024) / (size - first.size)).toFixed(0)} KiB`
  first ??= { size, residentMb }
  const share = (100 * (idle.cpuMs - quiet.cpuMs)) / IDLE_MS
  console.log(
    `| ${idle.peers} | ${perJoin.toFixed(1)} ms | ${residentMb.toFixed(0)} MiB | ${perPeer} | ${share.toFixed(2)} % of a core | ${((8 * idleBytes) / IDLE_MS).toFixed(0)} kbit/s |`
  )
  before = idle
}
heartbeat.close()
hub.kill()
rmSync(folder, { recursive: true, force: true })
process.exit(0)
