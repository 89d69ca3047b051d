/**
 * WebAssembly inside jobs: which number below a limit takes the most steps to reach 1, if even numbers are halved and
 * odd ones go to 3n + 1? The module is assembled here by hand and travels as bytes.
 *
 *     dist-node run examples/wasm.ts -- 1000000
 */
import { job, type JobResult } from 'dist-node'

interface Longest {
  readonly start: number
  readonly steps: number
}

/** For projects without the types of browsers. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { exports: { steps: (n: bigint) => number } }
}

const NUMBERS_PER_JOB = 20_000

// prettier-ignore
const COLLATZ = Uint8Array.of(
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // '\0asm', version 1
  1, 6, 1, 0x60, 1, 0x7e, 1, 0x7f, // types: one function from i64 to i32
  3, 2, 1, 0, // functions: one, of that type
  7, 9, 1, 5, 0x73, 0x74, 0x65, 0x70, 0x73, 0, 0, // exports: 'steps'
  10, 55, 1, 53, 1, 1, 0x7f, // code: one body with one local i32, the number of steps
  0x02, 0x40, 0x03, 0x40, // block, loop
  0x20, 0, 0x42, 1, 0x51, 0x0d, 1, // leave the block when n = 1
  0x20, 1, 0x41, 1, 0x6a, 0x21, 1, // steps = steps + 1
  0x20, 0, 0x42, 1, 0x83, 0x50, 0x04, 0x7e, // if n is even
  0x20, 0, 0x42, 1, 0x88, // then n >> 1
  0x05, 0x20, 0, 0x42, 3, 0x7e, 0x42, 1, 0x7c, 0x0b, // else n * 3 + 1
  0x21, 0, 0x0c, 0, 0x0b, 0x0b, // n = that; again; end of loop and block
  0x20, 1, 0x0b // return steps
)

function longest(from: number, to: number): Longest {
  const { steps } = new WebAssembly.Instance(new WebAssembly.Module(COLLATZ)).exports
  let best = { start: from, steps: 0 }
  for (let start = from; start < to; start++) {
    const count = steps(BigInt(start))
    if (count > best.steps) best = { start, steps: count }
  }
  return best
}

export default function* stretches([limit = '1000000']: string[]): Generator {
  for (let from = 1; from < Number(limit); from += NUMBERS_PER_JOB) {
    yield job(longest, [from, Math.min(from + NUMBERS_PER_JOB, Number(limit))])
  }
}

export async function collect(results: AsyncIterable<JobResult<Longest>>): Promise<void> {
  let best = { start: 1, steps: 0 }
  for await (const { value } of results) if (value.steps > best.steps) best = value
  console.log(`${best.start} takes ${best.steps} steps`)
}
