/**
 * What one worker process costs at each sandbox level: its start, its memory, a call, a million of them, large values.
 * Beside it the same child without any sandbox, so that the difference is the price of the sandbox. Alone:
 * `node scripts/bench/worker.ts` prints JSON. Needs the build (`npm run build`).
 */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { Printer } from '../../src/codec/print/print.ts'
import { SANDBOX_LEVELS } from '../../src/worker/level.ts'
import { WorkerProcess } from '../../src/worker/process.ts'
import type { JobResult } from '../../src/worker/process.ts'
import { probeSandbox } from '../../src/worker/sandbox.ts'
import type { Sandbox } from '../../src/worker/sandbox.ts'
import type { Bench, Suite } from './suite.ts'

interface Subject {
  readonly name: string
  readonly sandbox: Sandbox
}

const printer = new Printer()

export const suite: Suite = {
  name: 'worker',
  about: 'One worker process: start, memory, calls, throughput, large values, by sandbox level',
  async run(bench) {
    const subjects = await findSubjects(bench)
    await bench.alternate(subjects, async ({ name: system, sandbox }) => {
      const record = (workload: string, value: number, unit: string): void =>
        bench.record({
          workload,
          system,
          value,
          unit,
          better: unit === 'ms' || unit === 'us' || unit === 'MiB' ? 'less' : 'more'
        })
      record('start to first result', await measureStart(sandbox), 'ms')
      record('memory of an idle worker (PSS)', await measureMemory(sandbox), 'MiB')
      record('one call', await measureCall(sandbox, bench.quick ? 300 : 3_000), 'us')
      const flow = await measureFlow(sandbox, bench.quick ? 50_000 : 500_000)
      record('empty jobs, batches of 256', flow.perSecond, 'jobs/s')
      record('CPU time of the worker, an empty job', flow.workerMicros, 'us')
      const { argument, result } = await measureBytes(sandbox, bench.quick ? 16 : 64)
      record('a large argument', argument, 'MiB/s')
      record('a large result', result, 'MiB/s')
    })
  }
}

async function findSubjects(bench: Bench): Promise<Subject[]> {
  const subjects: Subject[] = []
  for (const level of SANDBOX_LEVELS) {
    try {
      subjects.push({ name: level, sandbox: await probeSandbox({ sandbox: level }) })
    } catch (error) {
      bench.note(error instanceof Error ? error.message : String(error))
    }
  }
  const child = new URL('../../dist/worker/child.cjs', import.meta.url).pathname
  const command = { file: process.execPath, args: [child, '{"net":false,"read":[]}'], env: {} }
  subjects.push({ name: 'no sandbox', sandbox: { level: 'permission', notes: [], command: () => command } })
  return subjects
}

/** A worker with a run open in it, and a way to wait for its results. */
class Subjected implements AsyncDisposable {
  readonly worker: WorkerProcess
  onResults: (results: JobResult[]) => void = () => undefined

  constructor(sandbox: Sandbox) {
    this.worker = WorkerProcess.spawn(sandbox)
    this.worker.open(
      {},
      {
        results: (results) => this.onResults(results),
        log: () => undefined,
        exit: ({ kind, message }) => {
          if (kind !== 'killed') throw new Error(message)
        }
      }
    )
  }

  async add(fn: (argument: never) => unknown): Promise<string> {
    const { bytes, units } = await printer.print(fn)
    for (const hash of units) this.worker.addBlob(hash, printer.unit(hash))
    const head = createHash('sha256').update(bytes).digest('hex')
    this.worker.addBlob(head, bytes)
    return head
  }

  async call(head: string, body: Uint8Array): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      this.onResults = ([result]) => {
        if (result?.ok === true) resolve(result)
        else reject(new Error(`the job failed: ${result?.code}`))
      }
      this.worker.run({ timeoutMs: 60_000, head, jobs: [{ job: 0, attempt: 1, body }] })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.kill()
  }
}

async function printArguments(...args: unknown[]): Promise<Uint8Array> {
  return (await printer.print(args)).bytes
}

async function measureStart(sandbox: Sandbox): Promise<number> {
  const body = await printArguments()
  const startedAt = performance.now()
  await using subject = new Subjected(sandbox)
  await subject.call(await subject.add(() => 1), body)
  return performance.now() - startedAt
}

/** Proportional set size of every process between the worker and us, itself included: shared pages count in parts. */
async function measureMemory(sandbox: Sandbox): Promise<number> {
  await using subject = new Subjected(sandbox)
  await subject.call(await subject.add(() => 1), await printArguments())
  let bytes = 0
  for (const pid of familyOf(subject.worker.pid)) {
    const [, kibibytes] = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m) ?? []
    bytes += Number(kibibytes ?? 0) * 1024
  }
  return bytes / 2 ** 20
}

async function measureCall(sandbox: Sandbox, calls: number): Promise<number> {
  await using subject = new Subjected(sandbox)
  const head = await subject.add(() => undefined)
  const body = await printArguments()
  for (let warm = 0; warm < calls / 10; warm++) await subject.call(head, body)
  const times: number[] = []
  for (let call = 0; call < calls; call++) {
    const startedAt = performance.now()
    await subject.call(head, body)
    times.push(performance.now() - startedAt)
  }
  times.sort((a, b) => a - b)
  return (times[times.length >> 1] ?? 0) * 1000
}

async function measureFlow(
  sandbox: Sandbox,
  total: number
): Promise<{ perSecond: number; workerMicros: number }> {
  await using subject = new Subjected(sandbox)
  const { worker } = subject
  const head = await subject.add((n: number) => n)
  const body = await printArguments(7)
  await subject.call(head, body)
  let sent = 0
  let done = 0
  const feed = (): void => {
    for (; sent < total && sent - done < 4096; sent += 256) {
      worker.run({
        timeoutMs: 60_000,
        head,
        jobs: batchOf(256, sent, body)
      })
    }
  }
  const cpuBefore = cpuMicrosOf(worker.pid)
  const startedAt = performance.now()
  await new Promise<void>((resolve) => {
    subject.onResults = (results) => {
      done += results.length
      feed()
      if (done === sent) resolve()
    }
    feed()
  })
  const seconds = (performance.now() - startedAt) / 1000
  return { perSecond: done / seconds, workerMicros: (cpuMicrosOf(worker.pid) - cpuBefore) / done }
}

function batchOf(
  count: number,
  first: number,
  body: Uint8Array
): { job: number; attempt: number; body: Uint8Array }[] {
  return Array.from({ length: count }, (_, index) => ({ job: first + index, attempt: 1, body }))
}

async function measureBytes(
  sandbox: Sandbox,
  mebibytes: number
): Promise<{ argument: number; result: number }> {
  await using subject = new Subjected(sandbox)
  const takes = await subject.add((bytes: Uint8Array) => bytes.length)
  const gives = await subject.add((length: number) => new Uint8Array(length))
  const large = await printArguments(new Uint8Array(mebibytes * 2 ** 20))
  const small = await printArguments(mebibytes * 2 ** 20)
  const rate = async (head: string, body: Uint8Array): Promise<number> => {
    await subject.call(head, body)
    const startedAt = performance.now()
    await subject.call(head, body)
    return mebibytes / ((performance.now() - startedAt) / 1000)
  }
  return { argument: await rate(takes, large), result: await rate(gives, small) }
}

function familyOf(pid: number | undefined): number[] {
  if (pid === undefined) return []
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const status = statusOf(Number(name))
    if (status !== undefined) parents.set(Number(name), Number(status[1]))
  }
  const family = [pid]
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member) family.push(child)
  }
  return family
}

function cpuMicrosOf(pid: number | undefined): number {
  const ticks = familyOf(pid).map((member) => {
    const status = statusOf(member)
    return Number(status?.[11] ?? 0) + Number(status?.[12] ?? 0)
  })
  // Linux counts in hundredths of a second towards programs, whatever its own clock does.
  return ticks.reduce((sum, each) => sum + each, 0) * 10_000
}

/** Fields of /proc/PID/stat from the state on. */
function statusOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  const figures: object[] = []
  const bench = {
    quick: process.argv.includes('--quick'),
    repetitions: 3,
    record: (figure: object) => void figures.push(figure),
    note: (text: string) => console.error(text),
    alternate: async (
      subjects: readonly Subject[],
      measure: (subject: Subject, repetition: number) => Promise<void>
    ) => {
      for (let repetition = 0; repetition < 3; repetition++) {
        for (const subject of subjects) await measure(subject, repetition)
      }
    }
  }
  await suite.run(bench as unknown as Bench)
  console.log(JSON.stringify(figures, undefined, 1))
}
