import { describe, expect, test } from 'vitest'
import { SessionTable } from '../../src/node/network/session-table.ts'
import type { Session } from '../../src/node/network/session.ts'

/** A session with the peer `z` that only knows whether it was replaced. */
function session(dialler: 'a' | 'z', openedMs: number): Session & { replaced: boolean } {
  const made = { peer: 'z', dialler, openedMs, replaced: false, replace: () => Promise.resolve(void 0) }
  made.replace = () => Promise.resolve(void (made.replaced = true))
  return made as unknown as Session & { replaced: boolean }
}

describe('of two sessions with one peer', () => {
  test.each([
    { first: 'a', second: 'z', stays: 'first' },
    { first: 'z', second: 'a', stays: 'second' },
    { first: 'a', second: 'a', stays: 'second' },
    { first: 'z', second: 'z', stays: 'second' }
  ] as const)('dialled at once by $first and $second, the $stays stays', ({ first, second, stays }) => {
    const ends: string[] = []
    const table = new SessionTable('a', (_session, { kind }) => void ends.push(kind))
    const sessions = [session(first, 0), session(second, 100)] as const
    expect(table.enter(sessions[0])).toBe(true)
    expect(table.enter(sessions[1])).toBe(stays === 'second')
    expect(sessions[0].replaced).toBe(stays === 'second')
    expect([...table.values()]).toEqual([stays === 'second' ? sessions[1] : sessions[0]])
    expect(ends).toEqual(stays === 'second' ? ['replaced'] : [])
    table.close()
  })

  test('one that is long there gives way to a peer that dials: it would not, if it still had that one', () => {
    const table = new SessionTable('a', () => undefined)
    const old = session('a', 0)
    const back = session('z', 8_000)
    table.enter(old)
    expect(table.enter(back)).toBe(true)
    expect(old.replaced).toBe(true)
    // The replaced one ends later: that changes nothing.
    expect(table.remove(old, { kind: 'lost', reason: 'silent for 10 s' })).toBe(false)
    expect([...table.values()]).toEqual([back])
    table.close()
  })
})
