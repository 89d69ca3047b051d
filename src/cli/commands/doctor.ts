import type { Command } from 'commander'
import { addExamples } from '../help.ts'
import { addMeshOptions, duration } from '../mesh-options.ts'
import type { DoctorOptions } from '../actions/doctor.ts'

const EXAMPLES = {
  doctor: 'look at everything',
  'doctor --peer /ip4/10.0.0.7/tcp/4001': 'why is this machine not reached?',
  [`doctor --json | jq 'select(.status != "ok")'`]: 'for other programs'
}

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('explain what works and what does not on this machine and this network')
    .option('--wait <duration>', 'how long to listen for peers', duration, 3_000)
  addExamples(
    addMeshOptions(command).action(async (options: DoctorOptions) => {
      const { doctor } = await import('../actions/doctor.ts')
      await doctor(options)
    }),
    EXAMPLES
  )
}
