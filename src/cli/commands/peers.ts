import type { Command } from 'commander'
import { addExamples } from '../help.ts'
import { addMeshOptions, duration } from '../mesh-options.ts'
import type { PeersOptions } from '../actions/peers.ts'

const EXAMPLES = {
  peers: 'once',
  'peers --watch': 'a live table',
  'peers --json | jq .name': 'for other programs'
}

export function addPeers(program: Command): void {
  const command = program
    .command('peers')
    .description('who is in the mesh: name, slots, busy, sandbox, version, round trip, address, id')
    .option(
      '--wait <duration>',
      'answer after this at the latest, also while peers are still being tried',
      duration,
      3_000
    )
    .option('--watch', 'a live table until Ctrl-C')
  addExamples(
    addMeshOptions(command).action(async (options: PeersOptions) => {
      const { peers } = await import('../actions/peers.ts')
      await peers(options)
    }),
    EXAMPLES
  )
}
