/** Collects figures and puts repetitions together. */
import type { Figure } from './suite.ts'
import { median } from './statistics.ts'

/** All repetitions of one figure. */
export interface Row {
  readonly suite: string
  readonly workload: string
  readonly system: string
  readonly unit: string
  readonly better: 'more' | 'less'
  readonly values: number[]
  median: number
  min: number
  max: number
}

export class Recorder {
  readonly #rows = new Map<string, Row>()
  readonly notes: { suite: string; text: string }[] = []

  get rows(): Row[] {
    return [...this.#rows.values()]
  }

  add(suite: string, { workload, system, value, unit, better }: Figure): void {
    const key = JSON.stringify([suite, workload, system, unit])
    let row = this.#rows.get(key)
    if (row === undefined) {
      row = { suite, workload, system, unit, better, values: [], median: 0, min: 0, max: 0 }
      this.#rows.set(key, row)
    }
    row.values.push(value)
    row.median = median(row.values)
    row.min = Math.min(...row.values)
    row.max = Math.max(...row.values)
  }

  /** Median of a figure, if it was measured. */
  find(suite: string, workload: string, system: string, unit: string): number | undefined {
    return this.#rows.get(JSON.stringify([suite, workload, system, unit]))?.median
  }
}
