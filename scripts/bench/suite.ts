/** What a benchmark file exports, and what it is given. */
import type { RunningSystem } from './systems/system.ts'

/** One family of workloads: `npm run bench -- NAME` runs the suites whose names contain the word. */
export interface Suite {
  readonly name: string
  /** One line, the heading of its table. */
  readonly about: string
  run(bench: Bench): Promise<void>
}

/** One measured figure. Those that differ in nothing but their value are repetitions of one another. */
export interface Figure {
  /** What was done, a group of rows in the table: `100,000 empty jobs`. */
  readonly workload: string
  /** Who did it: `dist-node`, `piscina` … */
  readonly system: string
  readonly value: number
  /** `jobs/s`, `us`, `MB/s`, `of ideal` … */
  readonly unit: string
  readonly better: 'more' | 'less'
}

export interface Bench {
  /** A look instead of a measurement: small counts, one repetition. */
  readonly quick: boolean
  readonly repetitions: number
  /** A folder for whatever; removed at the end. */
  readonly folder: string
  record(figure: Figure): void
  /** A line for people that is no figure: what was left out, and why. */
  note(text: string): void
  /** The systems of these names that are here and were not deselected, started on first use, kept to the end. */
  systems(...names: string[]): Promise<RunningSystem[]>
  /** Whether figures of this name are wanted; for what a suite starts itself. */
  wants(system: string): boolean
  /**
   * Measures everything once, then everything again, and so on: a moment in which the machine is busy with
   * something else then falls on one repetition of each, not on all of one.
   */
  alternate<T extends { readonly name: string }>(
    subjects: readonly T[],
    measure: (subject: T, repetition: number) => Promise<void>,
    repetitions?: number
  ): Promise<void>
}
