import type { ExecutorState, PeerId } from '../link.ts'
import { RunPort } from './run-port.ts'
import type { Copy } from './task.ts'
import type { TaskSource } from './task-source.ts'

/** The executors of one run, by peer: what is meant for one that is gone goes nowhere, but its name stays known. */
export class RunPorts {
  readonly #run: number
  readonly #label: string
  readonly #source: TaskSource
  readonly #ports = new Map<PeerId, RunPort>()
  readonly #names = new Map<PeerId, string>()

  constructor(run: number, label: string, source: TaskSource) {
    this.#run = run
    this.#label = label
    this.#source = source
  }

  /** Whether there has been any executor so far. */
  get hadAny(): boolean {
    return this.#names.size > 0
  }

  add({ link }: ExecutorState): void {
    this.#ports.set(link.peer, new RunPort(link, this.#run, this.#label, this.#source))
    this.#names.set(link.peer, link.name)
  }

  remove(peer: PeerId): void {
    this.#ports.delete(peer)
  }

  /** The name of the peer's node, or the peer itself where it never was an executor of this run. */
  nameOf(peer: PeerId): string {
    return this.#names.get(peer) ?? peer
  }

  send(peer: PeerId, copies: readonly Copy[]): void {
    this.#ports.get(peer)?.send(copies)
  }

  cancel(peer: PeerId, jobs: readonly number[]): void {
    this.#ports.get(peer)?.cancel(jobs)
  }

  recall(peer: PeerId, count: number): void {
    this.#ports.get(peer)?.recall(count)
  }

  close(): void {
    for (const port of this.#ports.values()) port.close()
  }
}
