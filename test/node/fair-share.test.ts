import { describe, expect, test } from 'vitest'
import { chooseAssignment, type Contender } from '../../src/node/executor/fair-share.ts'

function contender(name: string, more: Partial<Contender>): Contender & { name: string } {
  return { name, usedMicros: 0, hasIdleWorker: false, hasWorkerForPrefetch: false, ...more }
}

describe('fair share', () => {
  test('a free slot goes to the run that has used least', () => {
    const runs = [contender('greedy', { usedMicros: 9 }), contender('modest', { usedMicros: 1 })]
    expect(chooseAssignment(runs, 1)).toMatchObject({ kind: 'new-worker', run: { name: 'modest' } })
  })

  test('a worker that idles is used before a new one is started', () => {
    expect(chooseAssignment([contender('a', { hasIdleWorker: true })], 1)).toMatchObject({
      kind: 'idle-worker'
    })
  })

  test('with all slots busy the next run gets its batch ahead of time', () => {
    expect(chooseAssignment([contender('a', { hasWorkerForPrefetch: true })], 0)).toMatchObject({
      kind: 'prefetch'
    })
  })

  test('but not before a run whose turn it is', () => {
    const runs = [
      contender('next', { usedMicros: 1 }),
      contender('later', { usedMicros: 2, hasWorkerForPrefetch: true })
    ]
    expect(chooseAssignment(runs, 0)).toBeUndefined()
  })

  test('nothing waits: nothing to do', () => {
    expect(chooseAssignment([], 4)).toBeUndefined()
  })
})
