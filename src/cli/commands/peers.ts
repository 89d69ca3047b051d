import type { Command } from 'commander'
import type { PeerStatus } from '../../index.ts'
import { UsageError } from '../../index.ts'
import { addMeshOptions, createNode, duration, type MeshOptions } from '../mesh-options.ts'
import { visible } from '../output.ts'

export function addPeers(program: Command): void {
  const command = program
    .command('peers')
    .description('who is in the mesh: name, id, address, slots, busy, sandbox, version')
    .option('--wait <duration>', 'how long to listen before answering', duration, 1_000)
  addMeshOptions(command).action(peers)
}

async function peers(options: MeshOptions & { wait: number }): Promise<void> {
  const { node, password } = await createNode(options, { slots: 0, ask: true })
  try {
    if (!password)
      throw new UsageError('no password: make one with dist-node init, or store yours with dist-node join')
    const refusals: string[] = []
    node.on('peer-refused', ({ address, message }) => refusals.push(`${address}: ${message}`))
    await new Promise((resolve) => setTimeout(resolve, options.wait))
    const found = node.peers.toSorted((a, b) => a.name.localeCompare(b.name))
    if (options.json === true) for (const peer of found) console.log(JSON.stringify(peer))
    else console.log(table(found))
    for (const refusal of new Set(refusals)) console.error(visible(`! ${refusal}`))
  } finally {
    await node.stop('done looking')
  }
}

function table(found: readonly PeerStatus[]): string {
  if (found.length === 0)
    return 'no peers found; is dist-node start running on another machine, with this password?'
  const head = ['NAME', 'SLOTS', 'BUSY', 'SANDBOX', 'VERSION', 'RTT', 'ADDRESS', 'ID']
  const rows = found.map(({ id, name, address, slots, busy, sandbox, version, rttMs }) =>
    [name, `${slots}`, `${busy}`, sandbox, version, `${rttMs.toFixed(1)}ms`, address, id].map(visible)
  )
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length))
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join('  ')
      .trimEnd()
  return [head, ...rows].map(line).join('\n')
}
