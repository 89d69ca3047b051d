/**
 * Chaos: a mesh in a laboratory works through run after run while hosts are killed, frozen, cut off and moved, as a
 * seed has it. Every job of every run must have exactly one result, the right one, and at the end nothing may be left.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { answerOf } from './chaos-answer.ts'
import { ChaosMesh, pickFault } from './chaos-faults.ts'
import { Lab } from './lab.ts'
import { Random } from './random.ts'
import { lostOrDoubled, startRun } from './runs.ts'
import { UsageLog } from './usage-log.ts'
import type { NodeUsage } from './usage-log.ts'
import { usageOf } from './usage.ts'
import type { Usage } from './usage.ts'

export interface ChaosOptions {
  readonly seed: number
  /** How long new runs are started and faults inflicted, in milliseconds. */
  readonly durationMs: number
  /** Executors at the start; the submitter has a host of its own. @default 4 */
  readonly executors?: number
  /** Jobs of each run. @default 2_000 */
  readonly jobs?: number
  /**
   * Time without faults before the last look at open files, in milliseconds: lost sessions are noticed, workers of
   * dead runs end.
   *
   * @default 12_000
   */
  readonly restMs?: number
  /** What happens, a line each. */
  readonly log?: (line: string) => void
}

export interface ChaosReport {
  readonly runs: number
  readonly jobs: number
  /** Results that took more than one attempt. */
  readonly repeated: number
  readonly faults: Readonly<Record<string, number>>
  /** What should not be; empty when all is well. */
  readonly defects: readonly string[]
  /** The nodes that were alive at the end. */
  readonly nodes: readonly NodeUsage[]
  /** The node that lived through it all, after the first run and after the last. */
  readonly witness: { readonly first: Usage; readonly last: Usage }
}

const JOBS_FILE = new URL('chaos-jobs.ts', import.meta.url).pathname

/** Longest a fault lasts, as a rule. Some outlive the mesh's patience with silent peers, most do not. */
const MAX_FAULT_MS = 15_000

/** In a long chaos one in so many faults lasts a minute. */
const LONG_FAULT_MS = 60_000
const LONG_FAULT_RATIO = 0.02
const LONG_CHAOS_MS = 5 * 60_000

/** After the last fault is undone a run must come to its end within this. */
const RECOVERY_MS = 60_000

/** More open files than this above the first look, in the same mesh, are a leak. */
const OPEN_FILES_SLACK = 12

type Report = { -readonly [Key in keyof ChaosReport]: ChaosReport[Key] } & {
  faults: Record<string, number>
  defects: string[]
}

/** What is counted as it happens. */
type Counts = Omit<Report, 'witness' | 'nodes'>

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, durationMs, restMs = 12_000, log = () => {} } = options
  const random = new Random(seed)
  await using lab = await Lab.create({ hosts: 1 + (options.executors ?? 4) })
  const report: Counts = { runs: 0, jobs: 0, repeated: 0, faults: {}, defects: [] }
  const startedMs = performance.now()
  const say = (line: string): void => log(`${((performance.now() - startedMs) / 1000).toFixed(1)} s  ${line}`)
  const onDefect = (defect: string): void => {
    report.defects.push(defect)
    say(`DEFECT ${defect}`)
  }
  const mesh = new ChaosMesh(lab, onDefect)
  await Promise.all(lab.hosts.filter((host) => host !== mesh.submitter).map((host) => mesh.start(host)))
  const runOnce = async (patienceMs: number): Promise<void> => {
    const defects = await run(mesh, options, report, patienceMs)
    for (const defect of defects) onDefect(`run ${report.runs}: ${defect}`)
    say(`run ${report.runs} ended; ${report.jobs} results in all`)
  }

  await runOnce(RECOVERY_MS)
  using usage = new UsageLog(() => mesh.nodes.values())
  const witness = mesh.nodes.get(mesh.witness)!.process.pid
  const first = usageOf(witness)

  const ending = new AbortController()
  const onFault = (name: string, host: string): void => {
    report.faults[name] = (report.faults[name] ?? 0) + 1
    say(`${name}: ${host}`)
  }
  const faults = inflictFaults(mesh, random, durationMs >= LONG_CHAOS_MS, ending.signal, onFault, onDefect)
  const endMs = performance.now() + durationMs
  const timer = setTimeout(() => ending.abort(), durationMs)
  while (!ending.signal.aborted && report.defects.length === 0) {
    await runOnce(endMs - performance.now() + LONG_FAULT_MS + RECOVERY_MS)
  }
  clearTimeout(timer)
  ending.abort()
  await faults
  await runOnce(RECOVERY_MS)
  await delay(restMs)
  const last = report.defects.length === 0 ? usageOf(witness) : first
  // Hosts that were added come with a connection each, and connections that died take time to be noticed.
  if (restMs > 0 && last.openFiles > first.openFiles + OPEN_FILES_SLACK + 2 * mesh.nodes.size) {
    onDefect(`open files of ${mesh.witness.name}: ${first.openFiles}, then ${last.openFiles}`)
  }
  usage.look()
  const nodes = usage.report()
  for (const defect of await stopAll(mesh)) onDefect(defect)
  return { ...report, nodes, witness: { first, last } }
}

/** One run from the submitter; counts it and returns what is wrong with it. */
async function run(
  mesh: ChaosMesh,
  { seed, jobs = 2_000 }: ChaosOptions,
  report: Counts,
  patienceMs: number
): Promise<string[]> {
  const options = ['--no-local', '--wait', '120s']
  await using started = await startRun(mesh.submitter, JOBS_FILE, [String(jobs), String(seed)], options)
  const exit = await started.end(patienceMs).catch((error: Error) => error)
  const results = started.results
  report.runs++
  report.jobs += results.length
  report.repeated += results.filter(({ attempt }) => attempt > 1).length
  const wrong = results.filter(({ index, value }) => value !== answerOf(index, seed))
  return [
    lostOrDoubled(results, jobs),
    wrong.length > 0 ? `${wrong.length} wrong, first ${JSON.stringify(wrong[0])}` : undefined,
    exit instanceof Error
      ? exit.message
      : exit.code === 0
        ? undefined
        : `exit ${exit.code ?? exit.signal}: ${started.process.stderr.slice(-5).join('; ')}`
  ].filter((defect) => defect !== undefined)
}

/** Inflicts faults, several at a time on different hosts, until told to end; then undoes all. */
async function inflictFaults(
  mesh: ChaosMesh,
  random: Random,
  hasLongFaults: boolean,
  ending: AbortSignal,
  onFault: (name: string, host: string) => void,
  onDefect: (defect: string) => void
): Promise<void> {
  const afflicted = new Map<string, Promise<void>>()
  while (!ending.aborted) {
    const well = mesh.executors.filter(({ name }) => !afflicted.has(name))
    // One host at least is left to work.
    if (well.length > 1) {
      const host = random.pick(well)
      const fault = pickFault(random, mesh, host)
      const lastsMs = faultDuration(random, hasLongFaults)
      onFault(fault.name, host.name)
      const affliction = fault
        .inflict(mesh, host, random)
        .then(async (undo) => {
          await delay(lastsMs, undefined, { signal: ending }).catch(() => {})
          await undo()
        })
        .catch((error: Error) => onDefect(`${fault.name}: ${host.name}: ${error.message}`))
        .finally(() => afflicted.delete(host.name))
      afflicted.set(host.name, affliction)
    }
    await delay(random.between(300, 2_500), undefined, { signal: ending }).catch(() => {})
  }
  await Promise.all(afflicted.values())
  await mesh.lab.heal()
}

function faultDuration(random: Random, hasLongFaults: boolean): number {
  if (hasLongFaults && random.next() < LONG_FAULT_RATIO) return LONG_FAULT_MS
  return random.next() < 0.8 ? random.between(100, 3_000) : random.between(3_000, MAX_FAULT_MS)
}

/** Stops every node politely and looks at what stays behind. */
async function stopAll(mesh: ChaosMesh): Promise<string[]> {
  const nodes = [...mesh.nodes]
  mesh.nodes.clear() // from here on they are meant to end
  const codes = await Promise.all(
    nodes.map(async ([host, node]) => {
      const code = await Promise.race([node.stop(), delay(15_000).then(() => 'not within 15 s')])
      return code === 0 ? [] : [`${host.name} was asked to stop and did: ${code}`]
    })
  )
  const left = await Promise.all(
    mesh.lab.hosts.map(async (host) => {
      const { stdout } = await host.run('ps', ['-A', '-o', 'args='])
      const nodes = stdout.split('\n').filter((line) => line.includes('node'))
      return nodes.map((line) => `left behind on ${host.name}: ${line}`)
    })
  )
  return [...codes, ...left].flat()
}
