import { styleText } from 'node:util'
import type { Command } from 'commander'
import { addExamples } from '../help.ts'
import { diagnose, type Finding } from '../../index.ts'
import { EXIT } from '../exit.ts'
import { interruptSignal } from '../interrupt.ts'
import { addMeshOptions, duration, type MeshOptions } from '../mesh-options.ts'
import { visible } from '../output.ts'
import { wrap } from '../wrap.ts'

interface DoctorOptions extends MeshOptions {
  wait: number
  allowNet?: boolean
  exit: (code: number) => void
}

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
  addExamples(addMeshOptions(command).action(doctor), EXAMPLES)
}

async function doctor(options: DoctorOptions): Promise<void> {
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const counts = { ok: 0, warning: 0, problem: 0 }
  try {
    const findings = diagnose({
      mesh: options.mesh,
      mdns: options.mdns,
      peers: options.peer,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.listen.length === 0 ? {} : { listen: options.listen }),
      ...(options.dir === undefined ? {} : { dir: options.dir }),
      ...(options.passwordFile === undefined ? {} : { passwordFile: options.passwordFile }),
      allowWeak: options.weakPassword === true,
      waitMs: options.wait,
      signal
    })
    for await (const finding of findings) {
      if (signal.aborted) break
      counts[finding.status]++
      console.log(options.json === true ? JSON.stringify(finding) : describe(finding))
    }
  } finally {
    dispose()
  }
  if (options.json !== true) console.log(`\n${summary(counts)}`)
  options.exit(signal.aborted ? EXIT.interrupted : counts.problem > 0 ? EXIT.mesh : EXIT.ok)
}

const CHECK_WIDTH = 20

const MARKS = {
  ok: { mark: '✓', colour: 'green' },
  warning: { mark: '!', colour: 'yellow' },
  problem: { mark: '✗', colour: 'red' }
} as const

function describe({ check, status, message, advice }: Finding): string {
  const { mark, colour } = MARKS[status]
  const style = (format: Parameters<typeof styleText>[0], text: string): string =>
    styleText(format, text, { stream: process.stdout })
  const indent = CHECK_WIDTH + 4
  const columns = process.stdout.isTTY ? process.stdout.columns : undefined
  const head = `${style(colour, mark)} ${style('bold', visible(check).padEnd(CHECK_WIDTH))}  `
  const lines = [`${head}${wrap(visible(message), indent, columns)}`]
  if (advice !== undefined) {
    lines.push(`${' '.repeat(indent)}${style('dim', `→ ${wrap(visible(advice), indent + 2, columns)}`)}`)
  }
  return lines.join('\n')
}

function summary({ ok, warning, problem }: Record<Finding['status'], number>): string {
  if (warning + problem === 0) return 'All is well.'
  const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
  return `${ok} fine, ${count(warning, 'warning')}, ${count(problem, 'problem')}.`
}
