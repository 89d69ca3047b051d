import { expect, test } from 'vitest'
import { createTestMesh } from '../../src/testing.ts'

test('functions and classes that jobs made are called where the jobs came from', async () => {
  await using mesh = await createTestMesh(2)
  const base = 100
  const addOne = await mesh.submitter.call((n: number) => () => n + 1 + base, 5)
  expect(addOne()).toBe(106)
  const adders = await mesh.submitter.map((x: number) => (y: number) => x + y, [1, 2, 3]).all()
  expect(adders.map((add) => add(10))).toEqual([11, 12, 13])
  const { Shape, square } = await mesh.submitter.call(() => {
    class Shape {
      side = 3
      area(): number {
        return this.side ** 2
      }
    }
    return { Shape, square: new Shape() }
  })
  expect([square instanceof Shape, square.area()]).toEqual([true, 9])
  // And on to the next job.
  expect(await mesh.submitter.call((add) => add(1), adders[2]!)).toBe(4)
})
