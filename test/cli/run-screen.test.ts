import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Rates } from '../../src/cli/rates.ts'
import { type ExecutorRow, runLine, runScreen, type RunState } from '../../src/cli/run-screen.ts'

const executor = (name: string, more: Partial<ExecutorRow> = {}): ExecutorRow => ({
  name,
  slots: 4,
  busy: 3,
  done: 1_200,
  perSecond: 12,
  rttMs: 0.42,
  ...more
})

const state = (more: Partial<RunState> = {}): RunState => ({
  title: 'sweep.ts',
  done: 40,
  failed: 2,
  total: 120,
  perSecond: 12,
  executors: [executor('vm', { rttMs: undefined }), executor('attic', { slots: 2, busy: 0 })],
  ...more
})

const screen = (of: RunState, columns: number, rows = 24): string[] =>
  runScreen(of, { columns, rows }).map(stripVTControlCharacters)

describe('the moving lines', () => {
  test('a bar with rate and time left, and a line per executor', () => {
    expect(screen(state(), 100)).toEqual([
      'sweep.ts ━━━━━━━━━━━━━━──────────────────────────  42 of 120  2 failed  12/s  7 s left',
      '  vm     ●●●○  1,200 done  12/s  here',
      '  attic  ○○    1,200 done  12/s  0.4 ms away'
    ])
  })

  test('no bar where the number of jobs is not known', () => {
    const [first] = screen(state({ total: undefined }), 100)
    expect(first).toBe('sweep.ts  42  2 failed  12/s')
  })

  test.each([100, 60, 44, 30, 20, 10, 5])('nothing is wider than %d columns', (columns) => {
    const long = executor('a-name-that-is-longer-than-any-terminal-is-wide', { slots: 100, busy: 50 })
    for (const line of screen(state({ executors: [long, executor('b')] }), columns))
      expect(line.length).toBeLessThanOrEqual(columns)
  })

  test('many executors are folded, by how much they have done; few lines on small terminals', () => {
    const executors = Array.from({ length: 50 }, (_, n) => executor(`n${n}`, { done: n, busy: 1, slots: 2 }))
    const lines = screen(state({ executors }), 100, 60)
    expect(lines).toHaveLength(21)
    expect(lines[1]).toMatch(/^ {2}n49 /)
    expect(lines.at(-1)).toBe('  and 31 more  31 of 62 slots busy  465 done  372/s')
    expect(screen(state({ executors }), 100, 10)).toHaveLength(5)
  })

  test('control characters of a name do not reach the terminal', () => {
    const lines = runScreen(state({ executors: [executor('\u001b[2Jevil')] }), { columns: 80, rows: 24 })
    expect(lines.join('')).not.toContain('\u001b[2J')
  })

  test('one plain line for logs', () => {
    expect(runLine(state())).toBe('sweep.ts  42 of 120  2 failed  12/s  7 s left')
  })
})

test('rates are those of the last five seconds', () => {
  const rates = new Rates()
  expect(rates.perSecond('a')).toBe(0)
  for (let second = 0; second <= 20; second++)
    rates.note('a', second < 10 ? second : 10 + (second - 10) * 4, second * 1_000)
  expect(rates.perSecond('a')).toBe(4)
})
