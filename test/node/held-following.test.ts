import { expect, test } from 'vitest'
import { HeldFollowing } from '../../src/node/held/held-following.ts'
import type { HeldRunStatus } from '../../src/protocol/held-messages.ts'

const status = (state: HeldRunStatus['state'], succeeded: number): HeldRunStatus => ({
  id: 'ab'.repeat(16),
  label: '',
  from: '',
  state,
  jobs: 10,
  succeeded,
  failed: 0,
  ageSeconds: 0,
  reason: ''
})
const outcome = (
  job: number
): { job: number; attempt: number; ok: boolean; micros: number; body: Uint8Array } => ({
  job,
  attempt: 1,
  ok: true,
  micros: 1,
  body: new Uint8Array(1)
})
const chunk = (position: number, jobs: number[]): Parameters<HeldFollowing['onChunk']>[0] => ({
  type: 'chunk',
  run: 1,
  position,
  places: [{ id: 'peer', name: 'attic', jobs }]
})

function takeAll(following: HeldFollowing): number[] {
  const jobs: number[] = []
  for (let next = following.take(); next !== undefined; next = following.take()) jobs.push(next.outcome.job)
  return jobs
}

test('positions move when whole chunks are used, in whatever order their results came', () => {
  const following = new HeldFollowing()
  following.onChunk(chunk(0, [4, 5]))
  following.onChunk(chunk(2, [6]))
  following.onResults([outcome(6)])
  expect(takeAll(following)).toEqual([6])
  expect(following.advance()).toBeUndefined()
  following.onResults([outcome(5), outcome(4)])
  expect(following.take()).toMatchObject({ peer: 'peer', node: 'attic', outcome: { job: 5 } })
  expect(following.advance()).toBeUndefined()
  expect(takeAll(following)).toEqual([4])
  expect(following.advance()).toBe(3)
  expect(following.advance()).toBeUndefined()
})

test('results may overtake the chunk that announces them; those never announced are never used', () => {
  const following = new HeldFollowing()
  following.onResults([outcome(1), outcome(9)])
  expect(following.take()).toBeUndefined()
  following.onChunk(chunk(0, [1]))
  expect(takeAll(following)).toEqual([1])
  expect(following.advance()).toBe(1)
})

test('what was not used when the holder was lost comes again, what was used does not count twice', () => {
  const following = new HeldFollowing()
  following.onChunk(chunk(0, [0, 1]))
  following.onChunk(chunk(2, [2]))
  following.onResults([outcome(0), outcome(1), outcome(2)])
  following.take()
  following.restart()
  expect(following.position).toBe(0)
  expect(following.take()).toBeUndefined()
  following.onChunk(chunk(0, [0, 1, 2]))
  following.onResults([outcome(0), outcome(1), outcome(2)])
  expect(takeAll(following)).toEqual([1, 2])
  expect(following.advance()).toBe(3)
})

test('a run is over when it has ended and everything was used', () => {
  const following = new HeldFollowing()
  expect(following.state).toBe('open')
  following.onStatus(status('running', 1))
  following.onChunk(chunk(0, [3]))
  following.onStatus(status('finished', 1))
  following.onResults([outcome(3)])
  expect(following.state).toBe('open')
  takeAll(following)
  following.advance()
  expect(following.state).toBe('over')
})

test('a holder whose disk has lost the end of the list: from the beginning, skipping what there is; once', () => {
  const following = new HeldFollowing()
  following.onChunk(chunk(0, [0, 1, 2]))
  following.onResults([outcome(0), outcome(1), outcome(2)])
  takeAll(following)
  following.advance()
  following.restart()
  // The list is now 0, 3, 1, 2: what is at position 3 was used already.
  following.onChunk(chunk(3, [2]))
  following.onResults([outcome(2)])
  following.onStatus(status('finished', 4))
  expect(takeAll(following)).toEqual([])
  following.advance()
  expect(following.state).toBe('again')
  following.restart(0)
  following.onStatus(status('finished', 4))
  following.onChunk(chunk(0, [0, 3, 1, 2]))
  following.onResults([outcome(0), outcome(3), outcome(1), outcome(2)])
  expect(takeAll(following)).toEqual([3])
  following.advance()
  expect(following.state).toBe('over')
})

test('a holder that promises results it does not have is not asked for ever', () => {
  const following = new HeldFollowing()
  const deliver = (): string => {
    following.onStatus(status('finished', 2))
    for (const position of [0, 1]) {
      following.onChunk(chunk(position, [0]))
      following.onResults([outcome(0)])
      takeAll(following)
      following.advance()
    }
    return following.state
  }
  expect(deliver()).toBe('again')
  following.restart(0)
  expect(deliver()).toBe('damaged')
})

test('a holder that lies cannot fill the memory of who follows it', () => {
  const large = { ...outcome(0), body: new Uint8Array(1024 * 1024) }
  const floods: ((following: HeldFollowing, at: number) => void)[] = [
    (following) => following.onChunk(chunk(0, [])),
    (following, at) =>
      following.onChunk(
        chunk(
          at * 4_096,
          Array.from({ length: 4_096 }, (_, job) => at * 4_096 + job)
        )
      ),
    (following, at) => following.onResults([{ ...large, job: at }]),
    (following, at) => {
      following.onChunk(chunk(at, [at]))
      following.onResults([{ ...large, job: at }])
    }
  ]
  for (const flood of floods) {
    const following = new HeldFollowing()
    let sent = 0
    while (!following.isExcessive && sent < 1_000) flood(following, sent++)
    expect(following.isExcessive).toBe(true)
  }
})

test('an honest holder is never taken for one that sends too much', () => {
  const following = new HeldFollowing()
  const huge = { ...outcome(0), body: new Uint8Array(8 * 1024 * 1024) }
  for (let job = 0; job < 100; job++) {
    following.onResults([{ ...huge, job }])
    following.onChunk(chunk(job, [job]))
    expect(takeAll(following)).toEqual([job])
    following.advance()
  }
  for (let job = 100; job < 200_100; job += 4_000) {
    const jobs = Array.from({ length: 4_000 }, (_, at) => job + at)
    following.onChunk(chunk(job, jobs))
    following.onResults(jobs.map(outcome))
  }
  expect(following.isExcessive).toBe(false)
})
