import { expect, test } from 'vitest'
import { Liveness } from '../../src/node/network/liveness.ts'

/** When a peer that falls silent at 0 is asked for the first time and when it is given up, in seconds. */
function silence(peers: number, workedMs?: number): { asked: number; gone: number } {
  const liveness = new Liveness(0)
  let asked: number | undefined
  for (let nowMs = 1_000; ; nowMs += 1_000) {
    if (nowMs === workedMs) liveness.onWork(nowMs)
    const state = liveness.beat(nowMs, peers)
    if (state === 'gone') return { asked: asked!, gone: nowMs / 1_000 }
    if (state !== 'ask') continue
    liveness.onPing(nowMs)
    asked ??= nowMs / 1_000
  }
}

test('in a small mesh a peer is asked after seven seconds and gone after ten', () => {
  expect(silence(1)).toEqual({ asked: 8, gone: 11 })
  expect(silence(16)).toEqual({ asked: 8, gone: 11 })
})

test('in a large one idle peers are asked less often, those at work as often as ever', () => {
  expect(silence(48)).toEqual({ asked: 22, gone: 31 })
  expect(silence(48, 1_000)).toEqual({ asked: 8, gone: 11 })
})

test('when work begins with a peer that was not asked for long, it is asked before it is given up', () => {
  expect(silence(64, 20_000)).toEqual({ asked: 20, gone: 22 })
})

test('a sign of life of any kind ends the silence; an answer to an older question is no round trip', () => {
  const liveness = new Liveness(0)
  const first = liveness.onPing(0)
  expect(liveness.silentMs(3_000)).toBe(3_000)
  liveness.onHeard(3_000)
  expect(liveness.silentMs(3_900)).toBe(0)
  const second = liveness.onPing(4_000)
  expect(liveness.onPong(second, 4_002)).toBe(2)
  expect(liveness.onPong(first, 4_003)).toBeUndefined()
})

test('a node that was stopped itself charges nobody with silence', () => {
  const liveness = new Liveness(0)
  liveness.beat(1_000, 1)
  liveness.onPing(1_000)
  expect(liveness.beat(60_000, 1)).toBe('there')
  expect(liveness.silentMs(60_000)).toBe(0)
})
