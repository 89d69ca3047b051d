/** The jobs, the same for every system written in JavaScript: plain functions of one input. */

/** Does nothing. */
export function empty(): void {}

/** Keeps a core busy for so many milliseconds of the clock. */
export function spin(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

/** Does so many steps of arithmetic: how long that takes is what is asked. Returns milliseconds. */
export function compute(steps: number): number {
  const started = performance.now()
  let state = 1
  for (let step = 0; step < steps; step++) state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  if (state === 0.5) throw new Error('not a whole number')
  return performance.now() - started
}

/** Takes bytes, and returns how many. */
export function receive(bytes: Uint8Array): number {
  return bytes.byteLength
}

/** Returns so many bytes. */
export function produce(count: number): Uint8Array {
  return new Uint8Array(count).fill(7)
}

/** Sleeps for so many milliseconds, one after another: whoever stops the process for a while stops it too. */
export async function nap(ms: number): Promise<void> {
  for (let slept = 0; slept < ms; slept++) await new Promise((resolve) => setTimeout(resolve, 1))
}

export const JOBS = { empty, spin, compute, receive, produce }

export type JobName = keyof typeof JOBS
