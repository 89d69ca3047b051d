/**
 * A Monte Carlo study: how the estimate of pi gets better with the number of darts, with its standard error from
 * independent repetitions, drawn as a plot in the terminal.
 *
 *     dist-node run examples/pi.ts -- 1e7
 */
import type { JobResult } from 'dist-node'

const SIZES = [1e3, 1e4, 1e5, 1e6, 1e7]
const REPETITIONS = 24

/** Each repetition has numbers of its own: a small generator (mulberry32) with a seed. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function estimatePi(darts: number, seed: number): { darts: number; estimate: number } {
  const next = random(seed)
  let inside = 0
  for (let dart = 0; dart < darts; dart++) if (next() ** 2 + next() ** 2 < 1) inside++
  return { darts, estimate: (4 * inside) / darts }
}

export default function repetitions([most = '1e7']: string[]): (() => unknown)[] {
  return SIZES.filter((darts) => darts <= Number(most)).flatMap((darts) =>
    Array.from({ length: REPETITIONS }, (_, seed) => () => estimatePi(darts, seed + 1))
  )
}

export async function collect(
  results: AsyncIterable<JobResult<{ darts: number; estimate: number }>>
): Promise<void> {
  const estimates = new Map<number, number[]>(SIZES.map((darts) => [darts, []]))
  for await (const { value } of results) estimates.get(value.darts)!.push(value.estimate)
  console.log('     darts   pi        standard error')
  for (const [darts, values] of estimates) {
    if (values.length === 0) continue
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
    const error = Math.sqrt(variance / values.length)
    const bar = '#'.repeat(Math.max(1, Math.round(12 + 3 * Math.log2(error * 100))))
    console.log(`${String(darts).padStart(10)}   ${mean.toFixed(5)}   ${error.toFixed(6)}  ${bar}`)
  }
}
