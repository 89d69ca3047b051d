import { availableParallelism } from 'node:os'
import { describe, expect, test } from 'vitest'
import { job } from '../../src/node/run/job.ts'
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
    // Peers would cut the connection, again and again.
    [() => resolveRunOptions({ label: 'x'.repeat(256) }), 'label: expected a text of 1 to 255 characters'],
    [() => resolveRunOptions({ label: 5 as never }), 'label: expected a text of 1 to 255 characters, got 5'],
    [() => job(Math.sqrt, [2], { timeoutMs: 1.5 }), 'timeoutMs: expected a whole number from 0'],
    [() => job(Math.sqrt, [2], { retries: -1 }), 'retries: expected a whole number from 0 to 1000, got -1'],
    [
      () => job(Math.sqrt, [2], { idempotent: 'no' as never }),
      'idempotent: expected true or false, got "no"'
    ],
    [() => resolveRunOptions({ ordered: 'yes' as never }), 'ordered: expected true or false, got "yes"'],
    [() => resolveRunOptions({ only: 'peer' as never }), 'only: expected an array of texts, got "peer"'],
    [() => resolveRunOptions({ setup: 3 as never }), 'setup: expected a function, got 3'],
    [() => resolveRunOptions({ signal: 3 as never }), 'signal: expected an AbortSignal, got 3'],
    [
      () => resolveRunOptions({ journal: 'x' as never }),
      'journal: expected true, false or an object, got "x"'
    ],
    [() => resolveNodeOptions({ mdns: 'no' as never }), 'mdns: expected true or false, got "no"'],
    [() => resolveNodeOptions({ peers: '/ip4' as never }), 'peers: expected an array of texts, got "/ip4"'],
    [() => resolveRunOptions({ timeout: 5 } as never), 'run: unknown option timeout; known are timeoutMs']
  ])('are refused with what was expected and what came: %s', (resolve, message) => {
    expect(resolve).toThrow(message)
  })
})
