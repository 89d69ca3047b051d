import { describe, expect, test } from 'vitest'
import { Completions } from '../../src/node/run/completions.ts'

async function drain(completions: Completions<{ index: number }>): Promise<number[]> {
  const taken: number[] = []
  for (;;) {
    const result = await completions.take()
    if (result === undefined) return taken
    taken.push(result.index)
  }
}

describe('completions', () => {
  test('come in the order of completion', async () => {
    const completions = new Completions(false)
    for (const index of [2, 0, 1]) completions.push({ index })
    completions.end()
    expect(await drain(completions)).toEqual([2, 0, 1])
  })

  test('or in input order, if asked for', async () => {
    const completions = new Completions(true)
    for (const index of [2, 0, 3, 1]) completions.push({ index })
    completions.end()
    expect(await drain(completions)).toEqual([0, 1, 2, 3])
  })

  test('a consumer that waits is woken', async () => {
    const completions = new Completions(false)
    const taken = drain(completions)
    completions.push({ index: 0 })
    await Promise.resolve()
    completions.push({ index: 1 })
    completions.end()
    expect(await taken).toEqual([0, 1])
  })

  test('what came before a failure is kept, what waited for its turn too', async () => {
    const completions = new Completions(true)
    for (const index of [0, 3, 2]) completions.push({ index })
    completions.end(new Error('all peers lost'))
    expect([await completions.take(), await completions.take(), await completions.take()]).toEqual([
      { index: 0 },
      { index: 2 },
      { index: 3 }
    ])
    await expect(completions.take()).rejects.toThrow('all peers lost')
  })

  test('counts what waits, so that the input can be held back', async () => {
    const completions = new Completions(true)
    for (let index = 9_999; index >= 0; index--) completions.push({ index })
    expect(completions.size).toBe(10_000)
    await completions.take()
    expect(completions.size).toBe(9_999)
  })
})
