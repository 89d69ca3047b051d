import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { calculateGenerator, calculateSessionKey, importScalar, multiply } from '../../src/protocol/cpace.ts'

// Official vectors of draft-irtf-cfrg-cpace-20 for CPACE-X25519-SHA512.
const vectors = JSON.parse(readFileSync(new URL('./vectors/cpace-x25519.json', import.meta.url), 'utf8')) as {
  G_25519: Record<string, string>
  X25519_points: Record<string, string>
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const official = (name: string): Buffer => hex(vectors.G_25519[name] ?? '')

describe('CPace, official vectors', () => {
  test('generator', () => {
    const generator = calculateGenerator(official('PRS'), official('CI'), official('sid'))
    expect(generator.toString('hex')).toBe(official('g').toString('hex'))
  })

  test.each([
    ['ya', 'g', 'Ya'],
    ['yb', 'g', 'Yb'],
    ['ya', 'Yb', 'K'],
    ['yb', 'Ya', 'K']
  ])('%s * %s = %s', (scalar, point, product) => {
    expect(multiply(importScalar(official(scalar)), official(point)).toString('hex')).toBe(
      official(product).toString('hex')
    )
  })

  test('session key, initiator-responder', () => {
    const key = calculateSessionKey(
      official('sid'),
      official('K'),
      official('Ya'),
      official('Yb'),
      'ADa',
      'ADb'
    )
    expect(key.toString('hex')).toBe(official('ISK_IR').toString('hex'))
  })

  // The draft's results for its scalar; the points not listed are of low order and must abort.
  const scalar = hex('af46e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449aff')
  const accepted: Record<string, string> = {
    'Invalid Y6': 'd8e2c776bbacd510d09fd9278b7edcd25fc5ae9adfba3b6e040e8d3b71b21806',
    'Invalid Y8': 'c85c655ebe8be44ba9c0ffde69f2fe10194458d137f09bbff725ce58803cdb38',
    'Invalid Y9': 'db64dafa9b8fdd136914e61461935fe92aa372cb056314e1231bc4ec12417456',
    'Invalid Y10': 'e062dcd5376d58297be2618c7498f55baa07d7e03184e8aada20bca28888bf7a',
    'Invalid Y11': '993c6ad11c4c29da9a56f7691fd0ff8d732e49de6250b6c2e80003ff4629a175'
  }

  test.each(Object.entries(vectors.X25519_points))('%s', (name, point) => {
    const result = accepted[name]
    if (result === undefined) expect(() => multiply(importScalar(scalar), hex(point))).toThrow()
    else expect(multiply(importScalar(scalar), hex(point)).toString('hex')).toBe(result)
  })
})
