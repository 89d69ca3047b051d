import { describe, expect, test } from 'vitest'
import { calculateSessionKey, confirmationTag, importScalar, multiply } from '../../src/protocol/cpace.ts'
import { proveAsDialler, proveAsListener } from '../../src/protocol/handshake.ts'
import type { SessionKeys } from '../../src/protocol/handshake.ts'
import { concatWithLengths } from '../../src/protocol/length-value.ts'
import { CPACE_LABEL, PROTOCOL } from '../../src/protocol/limits.ts'
import type { MeshKey } from '../../src/protocol/mesh-key.ts'
import { meshKey, newerKey, otherMeshKey, otherPasswordKey } from './helpers/keys.ts'
import { RecordingGuard, wirePair } from './helpers/wires.ts'
import type { Tamper, WirePair } from './helpers/wires.ts'

interface Side {
  readonly result: PromiseSettledResult<SessionKeys>
  readonly guard: RecordingGuard
}

interface Setup {
  readonly diallerKey?: MeshKey
  readonly listenerKeys?: readonly MeshKey[]
  readonly tamper?: { dialler?: Tamper; listener?: Tamper }
  /** Who each side believes it talks to, when a relay stands between. */
  readonly diallerSees?: string
  readonly listenerSees?: string
}

async function shakeHands(setup: Setup = {}): Promise<{ dialler: Side; listener: Side; wires: WirePair }> {
  const wires = wirePair(setup.tamper)
  const guards = { dialler: new RecordingGuard(), listener: new RecordingGuard() }
  const dialler = proveAsDialler(wires.dialler, setup.diallerKey ?? meshKey, {
    dialler: 'alice',
    listener: setup.diallerSees ?? 'bob',
    guard: guards.dialler
  }).finally(() => wires.dialler.end())
  const listener = proveAsListener(wires.listener, setup.listenerKeys ?? [meshKey], {
    dialler: setup.listenerSees ?? 'alice',
    listener: 'bob',
    guard: guards.listener
  }).finally(() => wires.listener.end())
  const [one, two] = await Promise.allSettled([dialler, listener])
  return {
    dialler: { result: one, guard: guards.dialler },
    listener: { result: two, guard: guards.listener },
    wires
  }
}

function codeOf({ result }: Side): string {
  return result.status === 'fulfilled' ? 'OK' : String((result.reason as { code?: string }).code)
}

function exported(side: Side): Record<string, string> {
  if (side.result.status === 'rejected') throw side.result.reason
  const { send, receive } = side.result.value
  return {
    send: send.frame.export().toString('hex') + send.part.export().toString('hex'),
    receive: receive.frame.export().toString('hex') + receive.part.export().toString('hex')
  }
}

/** Another byte where a bit is flipped, so that every position of every message can be tried. */
function flip(message: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(message)
  copy[at] = (copy[at] ?? 0) ^ 0x10
  return copy
}

describe('handshake', () => {
  test('two sides with one password agree on four keys', async () => {
    const { dialler, listener, wires } = await shakeHands()
    const [ours, theirs] = [exported(dialler), exported(listener)]
    expect(ours.send).toBe(theirs.receive)
    expect(ours.receive).toBe(theirs.send)
    expect(new Set(Object.values(ours).flatMap((keys) => [keys.slice(0, 64), keys.slice(64)])).size).toBe(4)
    expect(wires.sent.dialler.map((message) => message.byteLength)).toEqual([29, 64])
    expect(wires.sent.listener.map((message) => message.byteLength)).toEqual([50, 32])
    expect(dialler.guard.events).toEqual(['exposed', 'proved'])
    expect(listener.guard.events).toEqual(['exposed', 'proved'])
  })

  test('two sessions of one pair have different keys', async () => {
    const [first, second] = await Promise.all([shakeHands(), shakeHands()])
    expect(exported(first.dialler).send).not.toBe(exported(second.dialler).send)
  })

  test('a wrong password fails on both sides and counts as a guess on both', async () => {
    for (const setup of [{ diallerKey: otherPasswordKey }, { listenerKeys: [otherPasswordKey] }]) {
      const { dialler, listener, wires } = await shakeHands(setup)
      expect([codeOf(dialler), codeOf(listener)]).toEqual(['WRONG_PASSWORD', 'WRONG_PASSWORD'])
      expect(dialler.guard.events).toEqual(['exposed'])
      expect(listener.guard.events).toEqual(['exposed'])
      // The listener proves nothing to somebody who has proved nothing.
      expect(wires.sent.listener).toHaveLength(1)
    }
  })

  test.each([
    ['another mesh', { diallerKey: otherMeshKey }, 'OTHER_MESH'],
    ['an unknown epoch', { diallerKey: newerKey }, 'UNKNOWN_EPOCH'],
    [
      'another version',
      {
        tamper: { dialler: (m: Uint8Array, i: number) => (i === 0 ? Uint8Array.of(2, ...m.subarray(1)) : m) }
      },
      'VERSION_MISMATCH'
    ]
  ] as const)('%s is refused before any proof', async (_, setup, code) => {
    const { dialler, listener } = await shakeHands(setup)
    expect([codeOf(dialler), codeOf(listener)]).toEqual([code, code])
    expect(dialler.guard.events).toEqual(['refused'])
    expect(listener.guard.events).toEqual(['refused'])
  })

  test('a listener accepts each epoch it has, a dialler uses its own', async () => {
    const old = await shakeHands({ listenerKeys: [newerKey, meshKey] })
    const young = await shakeHands({ diallerKey: newerKey, listenerKeys: [newerKey, meshKey] })
    expect(
      [old, young].map(
        ({ listener }) => listener.result.status === 'fulfilled' && listener.result.value.epoch
      )
    ).toEqual([0, 7])
  })

  test('a relay between two honest nodes gets nowhere', async () => {
    // Alice has dialled Mallory, Mallory has dialled Bob, and passes every message on.
    const { dialler, listener } = await shakeHands({ diallerSees: 'mallory', listenerSees: 'mallory' })
    expect([codeOf(dialler), codeOf(listener)]).toEqual(['WRONG_PASSWORD', 'WRONG_PASSWORD'])
  })

  test('a node that is looped back to itself does not accept its own proof', async () => {
    // Mallory dials Alice back and returns her own messages: she is dialler of one and listener of the other.
    const { dialler, listener } = await shakeHands({ diallerSees: 'mallory', listenerSees: 'mallory' })
    expect(codeOf(dialler)).toBe('WRONG_PASSWORD')
    expect(codeOf(listener)).toBe('WRONG_PASSWORD')
    const wires = wirePair()
    const guard = new RecordingGuard()
    const asDialler = proveAsDialler(wires.dialler, meshKey, { dialler: 'alice', listener: 'mallory', guard })
    const asListener = proveAsListener(wires.listener, [meshKey], {
      dialler: 'mallory',
      listener: 'alice',
      guard
    })
    await expect(asListener.finally(() => wires.listener.end())).rejects.toMatchObject({
      code: 'WRONG_PASSWORD'
    })
    await expect(asDialler).rejects.toMatchObject({ code: 'WRONG_PASSWORD' })
  })

  test('a proof sent back to who made it is not one', async () => {
    let share: Uint8Array | undefined
    const reflected = await shakeHands({
      tamper: {
        dialler: (message, index) => {
          if (index === 1) share = message.subarray(32)
          return message
        },
        listener: (message, index) => (index === 1 ? (share ?? message) : message)
      }
    })
    expect(codeOf(reflected.dialler)).toBe('WRONG_PASSWORD')
  })

  const lowOrder: Record<string, string> = {
    zero: '00'.repeat(32),
    one: `01${'00'.repeat(31)}`,
    'order 8': 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'
  }
  test.each(Object.entries(lowOrder))(
    'a share of low order (%s) is refused on both sides',
    async (_, hex) => {
      const bad = Buffer.from(hex, 'hex')
      const third = await shakeHands({
        tamper: { dialler: (m, i) => (i === 1 ? Buffer.concat([bad, m.subarray(32)]) : m) }
      })
      expect(codeOf(third.listener)).toBe('HANDSHAKE_FAILED')
      const second = await shakeHands({
        tamper: { listener: (m, i) => (i === 0 ? Buffer.concat([m.subarray(0, 18), bad]) : m) }
      })
      expect(codeOf(second.dialler)).toBe('HANDSHAKE_FAILED')
      // The dialler stopped before it proved anything, so nothing could be learnt from it.
      expect(second.dialler.guard.events).toEqual([])
    }
  )

  test('every byte of every message counts', async () => {
    const lengths = { dialler: [29, 64], listener: [50, 32] } as const
    for (const role of ['dialler', 'listener'] as const) {
      for (const [index, length] of lengths[role].entries()) {
        for (let at = 0; at < length; at += 3) {
          const { dialler, listener } = await shakeHands({
            tamper: { [role]: (m: Uint8Array, i: number) => (i === index ? flip(m, at) : m) }
          })
          expect([codeOf(dialler), codeOf(listener)], `${role} message ${index} byte ${at}`).not.toEqual([
            'OK',
            'OK'
          ])
          expect(codeOf(dialler), `${role} message ${index} byte ${at}`).not.toBe('OK')
        }
      }
    }
  })

  test.each([
    ['first', 'dialler', 0],
    ['third', 'dialler', 1],
    ['second', 'listener', 0],
    ['fourth', 'listener', 1]
  ] as const)('a %s message one byte too long or short is refused', async (_, role, index) => {
    const reader = role === 'dialler' ? 'listener' : 'dialler'
    for (const change of [
      (m: Uint8Array) => m.subarray(1),
      (m: Uint8Array) => Buffer.concat([m, Buffer.of(0)])
    ]) {
      const sides = await shakeHands({
        tamper: { [role]: (m: Uint8Array, i: number) => (i === index ? change(m) : m) }
      })
      expect(['HANDSHAKE_FAILED', 'VERSION_MISMATCH']).toContain(codeOf(sides[reader]))
    }
  })

  test('a dictionary attack on a recorded handshake finds nothing, with the right password in the dictionary', async () => {
    const { wires } = await shakeHands()
    const [m1, m3] = wires.sent.dialler as [Uint8Array, Uint8Array]
    const [m2, m4] = wires.sent.listener as [Uint8Array, Uint8Array]
    const sessionId = Buffer.concat([m1.subarray(13), m2.subarray(2, 18)])
    const listenerShare = m2.subarray(18)
    const diallerShare = m3.subarray(0, 32)
    const proofs = [m3.subarray(32), m4].map((proof) => Buffer.from(proof).toString('hex'))
    const channel = concatWithLengths(CPACE_LABEL, PROTOCOL, 'default', Buffer.alloc(4), 'bob', 'alice')
    const seen: Record<string, string[]> = {}
    for (const [name, key] of Object.entries({ right: meshKey, wrong: otherPasswordKey })) {
      const generator = key.generator(channel, sessionId)
      // What an eavesdropper can make of a guess: a generator, and as shared point every point he knows.
      const points = [
        generator,
        listenerShare,
        diallerShare,
        multiply(importScalar(generator), diallerShare),
        multiply(importScalar(sessionId), generator)
      ]
      seen[name] = points.flatMap((point) => {
        const sessionKey = calculateSessionKey(sessionId, point, listenerShare, diallerShare)
        const tags = [diallerShare, listenerShare].map((share) =>
          confirmationTag(sessionId, sessionKey, share).toString('hex')
        )
        return tags.filter((tag) => proofs.includes(tag))
      })
      // And whether a share is a multiple of the generator: all points of the curve are, of every one.
      expect([generator, listenerShare, diallerShare].map(isOnCurve)).toEqual([true, true, true])
    }
    expect(seen).toEqual({ right: [], wrong: [] })
  })
})

/** Whether x belongs to a point of Curve25519 itself and not of its twist: v² = x³ + 486662x² + x has a solution. */
function isOnCurve(point: Uint8Array): boolean {
  const p = 2n ** 255n - 19n
  const x = BigInt(`0x${Buffer.from(point.toReversed()).toString('hex')}`)
  const right = (((x * x + 486662n * x + 1n) % p) * x) % p
  let power = 1n
  for (let bit = 254n; bit >= 0n; bit--) {
    power = (power * power) % p
    if ((((p - 1n) / 2n) >> bit) % 2n === 1n) power = (power * right) % p
  }
  return power === 1n
}
