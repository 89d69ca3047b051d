import { parseArgs } from 'node:util'

export const HELP = `usage: npm run bench -- [SUITE...] [options]

  SUITE            run only suites whose names contain one of these words (default: all)
  --systems LIST   compare only these, separated by commas: dist-node,piscina
  --quick          a look in about a minute: small counts, one repetition
  --repeat N       repetitions of each measurement (default 3)
  --json FILE      write all figures to a file, too
  --list           name the suites
  --help           this text

Figures are medians of the repetitions. To run on another Node: /path/to/node scripts/bench/main.ts ...`

export interface CommandLine {
  readonly suites: readonly string[]
  readonly systems: readonly string[] | undefined
  readonly quick: boolean
  readonly repetitions: number
  readonly json: string | undefined
  readonly list: boolean
  readonly help: boolean
}

/** @throws TypeError when an option is unknown or lacks its value */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      systems: { type: 'string' },
      quick: { type: 'boolean', default: false },
      repeat: { type: 'string' },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const repetitions = Number(values.repeat ?? (values.quick ? 1 : 3))
  if (!Number.isInteger(repetitions) || repetitions < 1) {
    throw new TypeError(`--repeat: expected a whole number from 1, got '${values.repeat}'`)
  }
  return {
    suites: positionals,
    systems: values.systems?.split(',').map((name) => name.trim()),
    quick: values.quick,
    repetitions,
    json: values.json,
    list: values.list,
    help: values.help
  }
}
