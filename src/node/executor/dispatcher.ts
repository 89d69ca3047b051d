/**
 * The slots of one executor: which run's jobs go to which worker process, and what becomes of them there.
 */
import type { JobsMessage } from '../../protocol/messages.ts'
import type { ExitReason } from '../../worker/exit-reason.ts'
import { chooseAssignment } from './fair-share.ts'
import type { HostedRun } from './hosted-run.ts'
import { HostedWorker, type Worker } from './hosted-worker.ts'
import type { Link } from '../link.ts'
import type { Outcome } from '../run/task.ts'

/** Workers of a run that may end in a row without having run anything. */
const MAX_START_FAILURES = 3

/** What a job costs an executor besides the time in its function, for the account of its run. */
const ACCOUNT_OVERHEAD_MICROS = 10

/**
 * Results and output that wait for a submitter that reads more slowly than its jobs come to an end: above this no more of
 * them are started.
 */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024

interface DispatcherParts {
  readonly slots: number
  /** Every run that is open here. */
  readonly runs: () => Iterable<HostedRun>
  /** A pristine worker process, warm if there is one. */
  readonly takeWorker: () => Worker
  /** Slots may have become busy or free, queues shorter. */
  readonly onAssigned: () => void
}

export class Dispatcher {
  readonly #parts: DispatcherParts
  /** Submitters that have to read first. */
  readonly #behind = new Set<Link>()

  constructor(parts: DispatcherParts) {
    this.#parts = parts
  }

  /** Slots in which something runs. */
  get busy(): number {
    let busy = 0
    for (const run of this.#parts.runs()) busy += run.busyWorkers
    return busy
  }

  /** Gives slots to runs until none is free or nothing waits. */
  assign(): void {
    for (;;) {
      const contenders = [...this.#parts.runs()].filter((run) => run.queue.length > 0 && !this.#isBehind(run))
      const next = chooseAssignment(contenders, this.#parts.slots - this.busy)
      if (next === undefined) {
        if (contenders.length === 0) this.#shareOut()
        else makeRoom(contenders, this.#parts.runs())
        break
      }
      const worker = this.#workerFor(next.kind, next.run)
      const batch = next.run.dequeue()
      if (batch !== undefined) give(next.run, worker, batch)
    }
    this.#parts.onAssigned()
  }

  /**
   * A job in a process can be stopped only by ending the process. Only the one that runs is: those behind it have not
   * begun and start in another process, while one that is stopped for a job behind it would run twice.
   */
  stopUnwanted(run: HostedRun): void {
    for (const worker of run.workers) {
      if (!worker.runsUnwanted) continue
      run.workers.delete(worker)
      void worker.process.kill()
      run.requeue(worker.unfinished(), (job) => worker.isUnwanted(job))
    }
  }

  /** Nothing waits: workers that idle take over what others of their run have not begun. */
  #shareOut(): void {
    for (const run of this.#parts.runs()) {
      for (let idle = run.idleWorker(); idle !== undefined; idle = run.idleWorker()) {
        const mayStart = this.busy < this.#parts.slots && !this.#isBehind(run)
        const batches = mayStart ? run.takeOver() : []
        if (batches.length === 0) break
        for (const batch of batches) give(run, idle, batch)
      }
    }
  }

  #isBehind({ link }: HostedRun): boolean {
    if (link.queuedBytes <= MAX_UNREAD_BYTES) return false
    if (!this.#behind.has(link)) void this.#goOnWhenRead(link)
    return true
  }

  async #goOnWhenRead(link: Link): Promise<void> {
    this.#behind.add(link)
    await link.drained()
    // A link that has just been cut is drained as well, and is removed a moment later.
    await new Promise((resolve) => setImmediate(resolve))
    this.#behind.delete(link)
    this.assign()
  }

  #workerFor(kind: 'idle-worker' | 'new-worker' | 'prefetch', run: HostedRun): HostedWorker {
    if (kind === 'idle-worker') return run.idleWorker()!
    if (kind === 'prefetch') return run.prefetchWorker()!
    const process = this.#parts.takeWorker()
    const worker = new HostedWorker(process)
    run.workers.add(worker)
    for (const hash of run.setup?.blobs ?? []) process.addBlob(hash, run.blobs.get(hash) ?? new Uint8Array())
    process.open(run.setup === undefined ? {} : { setup: { body: run.setup.body } }, {
      results: (results) => this.#onResults(run, worker, results),
      log: (job, stream, text) => run.link.send({ type: 'log', run: run.number, job, stream, text }),
      exit: (exit) => this.#onWorkerExit(run, worker, exit)
    })
    return worker
  }

  #onResults(run: HostedRun, worker: HostedWorker, results: readonly Outcome[]): void {
    for (const result of results) run.usedMicros += result.micros + ACCOUNT_OVERHEAD_MICROS
    run.startFailures = 0
    worker.onAnswers(results.length)
    run.outbox.add(results, worker.busy)
    if (worker.runsUnwanted) this.stopUnwanted(run)
    if (this.#isBehind(run)) run.standBack()
    this.assign()
  }

  /**
   * A worker died on its own: the job that ran is to blame, the others get another worker. Workers that die again and
   * again with no job running are nobody's fault; then all they had fails, so that it is tried elsewhere.
   */
  #onWorkerExit(run: HostedRun, worker: HostedWorker, exit: ExitReason): void {
    if (!run.workers.delete(worker)) return
    run.startFailures = exit.running === undefined ? run.startFailures + 1 : 0
    const hopeless = run.startFailures >= MAX_START_FAILURES
    const failed = hopeless
      ? worker.unfinished().flatMap(({ jobs }) => jobs)
      : exit.running === undefined
        ? []
        : [exit.running]
    if (failed.length > 0)
      run.fail(failed, exit.code.startsWith('JOB_') ? exit.code : 'JOB_CRASHED', exit.message)
    const answered = new Set(failed.map(({ job }) => job))
    run.requeue(worker.unfinished(), (job) => answered.has(job) || worker.isUnwanted(job))
    this.assign()
  }
}

function give(run: HostedRun, worker: HostedWorker, batch: JobsMessage): void {
  for (const hash of batch.blobs) {
    if (!worker.process.hasBlob(hash)) worker.process.addBlob(hash, run.blobs.get(hash)!)
  }
  worker.batches.push(batch)
  const { timeoutMs, head, jobs } = batch
  worker.process.run({ timeoutMs, ...(head === undefined ? {} : { head }), jobs: [...jobs] })
}

/** A run that has nothing running here while all slots are busy gets one as soon as what runs now has ended. */
function makeRoom(contenders: readonly HostedRun[], runs: Iterable<HostedRun>): void {
  if (contenders.every((run) => run.busyWorkers > 0)) return
  for (const run of runs) if (run.busyWorkers > 0) run.standBack()
}
