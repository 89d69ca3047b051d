import { expect, test } from 'vitest'
import { untilQuiet } from '../../src/node/network/until-quiet.ts'

/** A network in which the last thing happened so long ago. */
function network(
  quietMs: number,
  peers: number
): { quietMs: number; sessions: { measure: () => void }[]; measured: () => number } {
  let measured = 0
  const sessions = Array.from({ length: peers }, () => ({ measure: () => void measured++ }))
  return { quietMs, sessions, measured: () => measured }
}

test('a network at rest is not waited for, and its round trips are measured', async () => {
  const atRest = network(300, 3)
  await untilQuiet(atRest, { timeoutMs: 60_000 })
  expect(atRest.measured()).toBe(3)
})

test('a busy one is waited for until the end of the patience, or an abort', async () => {
  const busy = network(0, 1)
  await untilQuiet(busy, { timeoutMs: 30 })
  expect(busy.measured()).toBe(1)
  await untilQuiet(busy, { timeoutMs: 60_000, signal: AbortSignal.abort() })
})

test('a node without peers waits longer than one that has some', async () => {
  const lonely = network(300, 0)
  const waiting = untilQuiet(lonely, { timeoutMs: 60_000 }).then(() => 'quiet')
  expect(await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 60, 'waiting'))])).toBe(
    'waiting'
  )
  lonely.quietMs = 1_200
  expect(await waiting).toBe('quiet')
})
