import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { JobError } from '../../src/node/errors.ts'
import { type JobPlace, readResult } from '../../src/node/run/result.ts'

const place: JobPlace = { index: 3, peer: 'peer', node: 'attic', attempt: 1, ms: 1 }
const outcome = { job: 3, attempt: 1, ok: false, micros: 1, body: new Uint8Array() }

/** What an executor that lies can make a thrown value of: data of any kind under any prototype. */
const thrown: readonly unknown[] = [
  null,
  undefined,
  Symbol('s'),
  1n,
  Object.create(null),
  Object.create(URL.prototype),
  Object.create(Map.prototype),
  Object.assign(Object.create(Error.prototype) as object, { message: Object.create(null) }),
  Object.defineProperty(new Error('e'), 'stack', { value: 1 }),
  Object.defineProperties(new Error('e'), { stack: { value: '' }, name: { value: Symbol('s') } }),
  { [inspect.custom]: 1, toString: 1 }
]

test.each(thrown.map((value) => [typeof value, value]))(
  'a job that threw a hostile %s is a failed job',
  (_, value) => {
    const failed = readResult(outcome, place, () => value)
    expect(failed).toMatchObject({ status: 'error', index: 3 })
    if (failed.status !== 'error') throw new Error('it is')
    expect(failed.error).toBeInstanceOf(JobError)
    expect(failed.error).toMatchObject({ code: 'JOB_THREW' })
    const setup = readResult({ ...outcome, code: 'JOB_SETUP_FAILED' }, place, () => value)
    expect(setup.status === 'error' && setup.error.message).toContain('setup failed on attic')
  }
)

test('an error stays the error it was', () => {
  const error = new RangeError('too many')
  const failed = readResult(outcome, place, () => error)
  expect(failed.status === 'error' && failed.error).toBe(error)
})
