import { writeFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { Printer } from '../../src/codec/print/print.ts'
import { Reader } from '../../src/codec/read/read.ts'
import { type GoldenPrint, listGoldenCases, removeGoldenFolder, toGoldenPrint } from './golden-case.ts'

const cases = listGoldenCases()

/**
 * What was once printed stays readable. To add a case: make a folder in `test/fixtures/golden` with an `input.mjs` that exports a default and
 * `check`, and run `ADD_GOLDEN=1 npx vitest run test/codec/golden.test.ts`. Cases that exist are never changed.
 */
describe('golden cases', () => {
  afterAll(removeGoldenFolder)

  test.each(cases)('$name', async ({ printed, printedFile, load }) => {
    const input = await load()
    const printer = new Printer()
    const now = toGoldenPrint(await printer.print(input.default, 'value'), printer)
    if (printed === undefined && process.env['ADD_GOLDEN'] === '1') {
      writeFileSync(printedFile, `${JSON.stringify(now, undefined, 2)}\n`)
    }
    const then = printed ?? (process.env['ADD_GOLDEN'] === '1' ? now : undefined)
    if (then === undefined) throw new Error('expected printed.json; run with ADD_GOLDEN=1 to add the case')
    // Each state is looked at once, because looking may change it: as printed then, as printed now, and the original last.
    const seen = [await input.check(read(then)), await input.check(read(now))]
    const expected = await input.check(input.default)
    for (const each of seen) expect(each).toStrictEqual(expected)
  })

  test('no case came without its bytes', () => {
    expect(cases.length).toBeGreaterThanOrEqual(7)
  })
})

function read({ value, units }: GoldenPrint): unknown {
  const reader = new Reader()
  for (const [hash, unit] of Object.entries(units)) reader.addUnit(hash, Buffer.from(unit, 'hex'))
  return reader.read(Buffer.from(value, 'hex'))
}
