import { describe, expect, test } from 'vitest'
import { ClosureInspector } from '../../src/codec/print/closure-inspector.ts'
import { InspectorSession } from '../../src/codec/print/inspector-session.ts'
import { VariableProbe } from '../../src/codec/print/variable-probe.ts'

interface Fixture {
  readonly effects: string[]
  readonly make: (flag: boolean) => Record<string, unknown> & { see: () => unknown }
}
const { effects, make } = (await import(
  new URL('../fixtures/closures/beginnings.mjs', import.meta.url).href
)) as Fixture

const session = new InspectorSession()
const probe = new VariableProbe(session, new ClosureInspector(session))

/** Functions in which V8 cannot be stopped before anything runs: they are never entered. */
const NEVER_ENTERED = [
  'class',
  'classExpression',
  'default',
  'taking',
  'defaultUnused',
  'objectDefault',
  'rest',
  'generator',
  'asyncGenerator'
]

describe.each([true, false])('with %s', (flag) => {
  const other = make(flag)
  test.each(Object.keys(make(flag)))('%s: its variable is found, and nothing of it runs', (name) => {
    const made = make(flag)
    const parts = Object.values(Object.getOwnPropertyDescriptor(made, name) ?? {}) as unknown[]
    const fn = parts.find((part) => typeof part === 'function') as Function
    const found = probe.find(fn, 'n', [other.see, made.see])
    expect(effects).toEqual([])
    expect(found).toBe(NEVER_ENTERED.includes(name) ? undefined : 1)
    expect([made.see(), probe.find(fn, 'n', [other.see])]).toEqual([0, found === undefined ? undefined : -1])
  })
})
