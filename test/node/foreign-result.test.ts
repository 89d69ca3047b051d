import { expect, test } from 'vitest'
import { InspectorSession } from '../../src/codec/print/inspector-session.ts'
import { Printer } from '../../src/codec/print/print.ts'
import { ResultPrinter } from '../../src/codec/print/print-result.ts'
import { Reader } from '../../src/codec/read/read.ts'
import { foreignResultReader } from '../../src/node/run/foreign-result.ts'

/** What a job returns, read by a process that did not send it. */
async function read(job: () => unknown): Promise<unknown> {
  const printer = new Printer()
  const reader = new Reader()
  const { bytes, units } = await printer.print(job, 'job 0')
  for (const hash of units) reader.addUnit(hash, printer.unit(hash))
  const there = reader.read(bytes) as () => unknown
  const results = new ResultPrinter(reader, new InspectorSession())
  return foreignResultReader()(results.print(there()))
}

const scale = (n: number): number => n * 2
const tagged = Object.assign(() => scale(1), { version: 2 })
class Point {
  x = 1
}

test('instances of the program’s classes are plain objects, of those its jobs made as well', async () => {
  const value = await read(() => {
    class Made extends Point {
      y = 2
    }
    return { sent: new Point(), made: [new Made()], after: 'text' }
  })
  expect(value).toStrictEqual({ sent: { x: 1 }, made: [{ x: 1, y: 2 }], after: 'text' })
})

test('functions of the program are there and cannot be called', async () => {
  const value = await read(() => [scale, tagged, (n: number) => scale(n), 7])
  const [sent, more, made, last] = value as [() => unknown, () => unknown, () => unknown, number]
  for (const fn of [sent, more, made]) expect(fn).toThrow('exists only in the program that made the run')
  expect(last).toBe(7)
})
