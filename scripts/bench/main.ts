/**
 * `npm run bench`: dist-node beside other systems, on this machine, in the same run. Nothing here passes or fails:
 * it measures and prints. `npm run bench -- --help` lists the options, docs/benchmarks.md explains the figures.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandLine, HELP, readCommandLine } from './command-line.ts'
import { describeGoals } from './goals.ts'
import { describeMachine } from './machine.ts'
import { Recorder } from './recorder.ts'
import { formatGoals, formatMachine, formatSuite } from './report.ts'
import type { Bench, Suite } from './suite.ts'
import { Systems } from './systems/start-systems.ts'

/** In the order in which they run; each is a file of this folder that exports `suite`. */
const SUITES = ['empty', 'latency', 'closures', 'payload', 'efficiency', 'memory', 'journal', 'cold-start', 'kill', 'stragglers', 'steady', 'mesh', 'codec', 'worker', 'security'] // prettier-ignore

// An interrupted benchmark ends what it started on its way out: see child.ts.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

const commandLine = readCommandLine(process.argv.slice(2))
if (commandLine.help) console.log(HELP)
else if (commandLine.list)
  for (const { name, about } of await loadSuites()) console.log(`${name.padEnd(11)}${about}`)
else await measure(commandLine, await loadSuites(commandLine.suites))

async function measure(options: CommandLine, suites: readonly Suite[]): Promise<void> {
  const machine = describeMachine()
  console.log(formatMachine(machine))
  const recorder = new Recorder()
  const folder = mkdtempSync(join(tmpdir(), 'dist-node-bench-'))
  try {
    await using systems = new Systems(folder, (text) => say(text))
    for (const suite of suites) {
      say(`${suite.name} ...`)
      const bench = makeBench(suite, options, { recorder, systems, folder })
      await suite.run(bench).catch((error: unknown) => {
        bench.note(`FAILED: ${error instanceof Error ? error.stack : String(error)}`)
        process.exitCode = 1
      })
      console.log(formatSuite(suite, recorder))
    }
    const goals = describeGoals(recorder)
    console.log(formatGoals(goals))
    const details = await systems.details()
    for (const line of details) console.log(`  ${line}`)
    if (options.json !== undefined) {
      const { rows, notes } = recorder
      writeFileSync(
        options.json,
        `${JSON.stringify({ machine, systems: details, rows, notes, goals }, null, 2)}\n`
      )
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function makeBench(
  suite: Suite,
  { quick, repetitions, systems: selected }: CommandLine,
  parts: { recorder: Recorder; systems: Systems; folder: string }
): Bench {
  const wants = (system: string): boolean => selected === undefined || selected.includes(system)
  const note = (text: string): void => {
    const { notes } = parts.recorder
    if (!notes.some((known) => known.text === text)) notes.push({ suite: suite.name, text })
  }
  return {
    quick,
    repetitions,
    folder: parts.folder,
    wants,
    record: (figure) => parts.recorder.add(suite.name, figure),
    note,
    async systems(...names) {
      const running = []
      for (const name of names.filter(wants)) {
        const system = await parts.systems
          .get(name)
          .catch((error: unknown) => note(`${name} FAILED: ${String(error)}`))
        if (system !== undefined) running.push(system)
      }
      return running
    },
    async alternate(subjects, run, count = repetitions) {
      for (let repetition = 0; repetition < count; repetition++) {
        for (const subject of subjects) {
          // What one system cannot do is a line in the report, and no reason to leave the others unmeasured.
          await run(subject, repetition).catch((error: unknown) =>
            note(`${subject.name} FAILED: ${String(error)}`)
          )
        }
      }
    }
  }
}

/** Suites whose names contain one of the words; all if there are none. */
async function loadSuites(words: readonly string[] = []): Promise<Suite[]> {
  const names = SUITES.filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  if (names.length === 0) throw new TypeError(`no suite is called like that; there are ${SUITES.join(', ')}`)
  const suites: Suite[] = []
  for (const name of names) {
    const file = new URL(`${name}.ts`, import.meta.url)
    if (existsSync(file)) suites.push(((await import(file.href)) as { suite: Suite }).suite)
  }
  return suites
}

/** Progress, for people: not part of the report. */
function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
