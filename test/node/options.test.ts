import { availableParallelism } from 'node:os'
import { describe, expect, test } from 'vitest'
import { resolveNodeOptions, resolveRunOptions } from '../../src/node/options.ts'

describe('options', () => {
  test('a node that lends nothing does not run what others hand over', () => {
    expect(() => resolveNodeOptions({ hold: true, lend: false, slots: 1 })).toThrow(/^hold: /)
    for (const more of [{ slots: 0 }, { local: false }, { lend: true }]) {
      expect(resolveNodeOptions({ hold: true, lend: false, slots: 1, ...more }).hold).toBe(true)
    }
  })

  test('have defaults, also where undefined is given', () => {
    expect(resolveNodeOptions({ slots: undefined as never })).toMatchObject({
      slots: availableParallelism(),
      mesh: 'default',
      mdns: true
    })
    expect(resolveRunOptions()).toMatchObject({ timeoutMs: 0, retries: 0, idempotent: true, ordered: false })
  })

  test.each([
    [() => resolveNodeOptions({ slots: -1 }), 'slots: expected a whole number from 0 to 1024, got -1'],
    [() => resolveNodeOptions({ mesh: '' }), 'mesh: expected a text of 1 to 64 characters, got ""'],
    [() => resolveNodeOptions({ password: '  ' }), 'password: expected a text that is not empty'],
    [() => resolveNodeOptions({ slot: 2 } as never), 'unknown option slot; known are password, mesh'],
    [() => resolveRunOptions({ retries: 1.5 }), 'retries: expected a whole number from 0 to 1000, got 1.5'],
    [() => resolveRunOptions({ timeout: 5 } as never), 'run: unknown option timeout; known are timeoutMs']
  ])('are refused with what was expected and what came: %s', (resolve, message) => {
    expect(resolve).toThrow(message)
  })
})
