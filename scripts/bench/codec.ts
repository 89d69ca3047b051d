/**
 * What printing and reading cost: plain data beside the CBOR library alone, both ways, and closures. Alone:
 * `node scripts/bench/codec.ts` prints JSON.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { decode as decodeCbor, encode as encodeCbor } from 'cborg'
import { decode as decodeExtended, encode as encodeExtended } from 'cborg/extended'
import { Printer, type Printed } from '../../src/codec/print/print.ts'
import { readData } from '../../src/codec/read/read-data.ts'
import { Reader } from '../../src/codec/read/read.ts'
import { median } from './statistics.ts'
import type { Bench, Suite } from './suite.ts'

type Record = Bench['record']

const person = (n: number): object => ({
  id: n,
  name: `person ${n}`,
  email: `person${n}@example.org`,
  tags: ['a', 'b', 'c'],
  position: { x: n / 7, y: -2.25, z: 3 },
  active: true,
  history: Array.from({ length: 20 }, (_, index) => ({ time: index * 1_000, value: index / 7 }))
})

const DATA: ReadonlyArray<readonly [name: string, value: unknown, calls: number]> = [
  ['three arguments', [1, 'two', { three: [3] }], 20_000],
  ['200 records', Array.from({ length: 200 }, (_, index) => person(index)), 20],
  ['100,000 numbers', Array.from({ length: 100_000 }, (_, index) => index * 1.5), 5],
  ['texts', Array.from({ length: 2_000 }, (_, index) => `a line of some text, number ${index} é`), 20],
  ['8 MiB of bytes', new Uint8Array(8 * 1024 * 1024), 10]
]

type Way = readonly [way: string, system: string, call: () => unknown]

/** Microseconds for one call of each, the medians of some rounds, in which they take turns: whoever is first finds memory cold. */
function time(rounds: number, calls: number, subjects: readonly (() => unknown)[]): number[] {
  const times: number[][] = subjects.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [at, call] of subjects.entries()) {
      const started = performance.now()
      for (let index = 0; index < calls; index++) call()
      times[at]!.push(((performance.now() - started) * 1_000) / calls)
    }
  }
  return times.map(median)
}

function measureData(rounds: number, record: Record): void {
  const printer = new Printer()
  const print = (value: unknown): Uint8Array => (printer.print(value) as Printed).bytes
  for (const [name, value, calls] of DATA) {
    const bytes = print(value)
    const extended = encodeExtended(value)
    const all: readonly Way[] = [
      ['print', 'dist-node', () => print(value)],
      ['print', 'cborg', () => encodeCbor(value)],
      ['print', 'cborg/extended', () => encodeExtended(value)],
      ['print', 'JSON', () => JSON.stringify(value)],
      ['read', 'dist-node', () => readData(bytes)],
      ['read', 'cborg', () => decodeCbor(bytes)],
      ['read', 'cborg/extended', () => decodeExtended(extended)]
    ]
    // JSON writes bytes as an object of millions of properties: nobody does that twice.
    const ways = all.filter(([, system]) => system !== 'JSON' || !(value instanceof Uint8Array))
    const medians = time(
      rounds,
      calls,
      ways.map(([, , call]) => call)
    )
    for (const [at, [way, system]] of ways.entries()) {
      record({ workload: `${way} ${name}`, system, value: medians[at]!, unit: 'us', better: 'less' })
    }
  }
}

/** Bytes of objects that something still needs. */
function heapInUse(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}

const OFFSET = 3
const makeClosure = (n: number) => (): number => helper(n) + OFFSET
const helper = (n: number): number => n * OFFSET

async function measureClosures(count: number, record: Record): Promise<void> {
  const system = 'dist-node'
  const printer = new Printer()
  const started = performance.now()
  const { units } = await printer.print(makeClosure(0))
  record({
    workload: 'first closure of a program',
    system,
    value: performance.now() - started,
    unit: 'ms',
    better: 'less'
  })

  const second = performance.now()
  void printer.print(makeClosure(1))
  const secondUs = (performance.now() - second) * 1_000
  record({ workload: 'second closure of a site', system, value: secondUs, unit: 'us', better: 'less' })

  const heapBefore = heapInUse()
  const startedMany = performance.now()
  let printed: Printed | undefined
  for (let index = 0; index < count; index++) printed = printer.print(makeClosure(index)) as Printed
  const seconds = (performance.now() - startedMany) / 1_000
  const workload = `${count.toLocaleString('en')} closures of one site`
  record({ workload, system, value: seconds, unit: 's', better: 'less' })
  const grownMb = (heapInUse() - heapBefore) / 1e6
  record({ workload, system, value: grownMb, unit: 'MB kept', better: 'less' })

  const reader = new Reader()
  for (const hash of units) reader.addUnit(hash, printer.unit(hash))
  const { bytes } = printed ?? { bytes: new Uint8Array() }
  const [readUs = Number.NaN] = time(3, 1_000, [() => reader.read(bytes)])
  record({ workload: 'read a closure', system, value: readUs, unit: 'us', better: 'less' })
}

export const suite: Suite = {
  name: 'codec',
  about: 'printing and reading: plain data beside the CBOR library alone, and closures',
  async run(bench: Bench): Promise<void> {
    measureData(bench.quick ? 2 : 7, (figure) => bench.record(figure))
    await measureClosures(bench.quick ? 2_000 : 100_000, (figure) => bench.record(figure))
  }
}

if (import.meta.main) {
  const quick = process.argv.includes('--quick')
  const figures: object[] = []
  measureData(quick ? 2 : 7, (figure) => figures.push(figure))
  await measureClosures(quick ? 2_000 : 100_000, (figure) => figures.push(figure))
  console.log(JSON.stringify(figures, null, 2))
}
