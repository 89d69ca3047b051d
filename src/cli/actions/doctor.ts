import { styleText } from 'node:util'
import { diagnose, type Finding } from '../../index.ts'
import { userConfigFile, type ConfigFile } from '../config-file.ts'
import { EXIT } from '../exit.ts'
import { interruptSignal } from '../interrupt.ts'
import { visible } from '../output.ts'
import { wrap } from '../wrap.ts'
import type { MeshOptions } from '../mesh-options.ts'

export interface DoctorOptions extends MeshOptions {
  wait: number
  allowNet?: boolean
  configFiles?: readonly ConfigFile[]
  /** Why a configuration file cannot be used. */
  configProblem?: string
  exit: (code: number) => void
}

export async function doctor(options: DoctorOptions): Promise<void> {
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const counts = { ok: 0, warning: 0, problem: 0 }
  const tell = (finding: Finding): void => {
    counts[finding.status]++
    console.log(options.json === true ? JSON.stringify(finding) : describe(finding))
  }
  try {
    tell(findConfiguration(options))
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
      tell(finding)
    }
  } finally {
    dispose()
  }
  if (options.json !== true) console.log(`\n${summary(counts)}`)
  options.exit(signal.aborted ? EXIT.interrupted : counts.problem > 0 ? EXIT.mesh : EXIT.ok)
}

/** Which configuration files count, and what they set. */
function findConfiguration({ configFiles = [], configProblem }: DoctorOptions): Finding {
  const check = 'configuration'
  if (configProblem !== undefined) {
    const advice = 'put it right, or remove the key: until then every command ends with this message'
    return { check, status: 'problem', message: configProblem, advice }
  }
  if (configFiles.length === 0)
    return { check, status: 'ok', message: `none; ${userConfigFile()} would be read` }
  const described = configFiles.map(({ path, content }) => `${path} (${Object.keys(content).join(', ')})`)
  return { check, status: 'ok', message: described.join(', then ') }
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
