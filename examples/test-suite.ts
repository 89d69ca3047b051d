/**
 * A test suite, spread over the mesh: every test is a job, and with it travels just the code it tests. A test that
 * fails is a job that failed, so the command ends with exit code 1, as a test runner should.
 *
 *     dist-node run examples/test-suite.ts
 */
import assert from 'node:assert/strict'
import type { JobResult } from 'dist-node'

const NUMERALS = Object.entries({
  M: 1000, CM: 900, D: 500, CD: 400, C: 100, XC: 90, L: 50, XL: 40, X: 10, IX: 9, V: 5, IV: 4, I: 1
}) // prettier-ignore

function toRoman(number: number): string {
  let roman = ''
  for (const [numeral, value] of NUMERALS) {
    for (; number >= value; number -= value) roman += numeral
  }
  return roman
}

function fromRoman(roman: string): number {
  let number = 0
  for (const [numeral, value] of NUMERALS) {
    for (; roman.startsWith(numeral); roman = roman.slice(numeral.length)) number += value
  }
  if (roman !== '') throw new SyntaxError(`not a roman numeral: ${roman}`)
  return number
}

const tests: Record<string, () => void> = {
  'small numbers': () => assert.deepEqual([1, 2, 3, 4].map(toRoman), ['I', 'II', 'III', 'IV']),
  'this century': () => assert.equal(toRoman(2026), 'MMXXVI'),
  'a number of every numeral': () => assert.equal(fromRoman('MCMXLIV'), 1944),
  'what is no numeral is refused': () => assert.throws(() => fromRoman('MMXXVI!'), SyntaxError),
  'no numeral comes four times in a row': () => {
    for (let number = 1; number < 4000; number++) assert.doesNotMatch(toRoman(number), /(.)\1{3}/)
  }
}
for (let thousand = 0; thousand < 4; thousand++) {
  tests[`there and back again, from ${thousand * 1000}`] = () => {
    for (let n = thousand * 1000; n < (thousand + 1) * 1000; n++) assert.equal(fromRoman(toRoman(n)), n)
  }
}

export default Object.values(tests)

export async function collect(results: AsyncIterable<JobResult<void>>): Promise<void> {
  const names = Object.keys(tests)
  let failed = 0
  for await (const result of results) {
    const { index, status, node, ms } = result
    console.log(`${status === 'ok' ? '✓' : '✗'} ${names[index]}  (${node}, ${ms.toFixed(1)} ms)`)
    if (result.status === 'ok') continue
    failed++
    console.log(`    ${result.error.stack}`)
  }
  console.log(`${names.length - failed} passed, ${failed} failed`)
}
