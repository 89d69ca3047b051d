import { createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mapToCurve25519 } from './elligator2.ts'
import { concatWithLengths } from './length-value.ts'

// CPACE-X25519-SHA512 of draft-irtf-cfrg-cpace-20: two sides that know one password agree on a key, and an outsider
// learns nothing that could be tried offline against a list of passwords. Names follow the draft.

const DOMAIN = 'CPace255'
const SHA512_INPUT_BLOCK_BYTES = 128
const POINT_BYTES = 32

// Constant DER in front of a raw X25519 key (RFC 8410): what node:crypto reads on every version we support.
const PRIVATE_KEY_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const PUBLIC_KEY_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')

/**
 * `calculate_generator`: a point that only somebody who knows the password can name.
 *
 * @param passwordString the draft's PRS, 32 bytes derived from the password
 * @param channelIdentifier the draft's CI: who talks to whom, about what
 * @param sessionId the draft's sid: random bytes of both sides
 */
export function calculateGenerator(
  passwordString: Uint8Array,
  channelIdentifier: Uint8Array,
  sessionId: Uint8Array
): Buffer {
  const used = concatWithLengths(DOMAIN, passwordString).byteLength
  // The padding fills the hash's first block, so that hashing the password takes one time whatever its length.
  const padding = Buffer.alloc(Math.max(0, SHA512_INPUT_BLOCK_BYTES - 1 - used))
  const text = concatWithLengths(DOMAIN, passwordString, padding, channelIdentifier, sessionId)
  const hash = createHash('sha512').update(text).digest().subarray(0, POINT_BYTES)
  return mapToCurve25519(hash)
}

/** A scalar for {@link multiply}. To make one costs more than to use it: OpenSSL calculates its public key as well. */
export function importScalar(scalar: Uint8Array): KeyObject {
  const key = Buffer.concat([PRIVATE_KEY_PREFIX, scalar])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

/**
 * `scalar_mult_vfy`, by OpenSSL in constant time.
 *
 * @throws when the result is the neutral element: `point` has a low order, which only an attacker sends
 */
export function multiply(scalar: KeyObject, point: Uint8Array): Buffer {
  const key = Buffer.concat([PUBLIC_KEY_PREFIX, point])
  return diffieHellman({
    privateKey: scalar,
    publicKey: createPublicKey({ key, format: 'der', type: 'spki' })
  })
}

/** The session key ISK of the initiator-responder mode. Party A is the listener; both sides send no associated data. */
export function calculateSessionKey(
  sessionId: Uint8Array,
  sharedPoint: Uint8Array,
  shareA: Uint8Array,
  shareB: Uint8Array,
  associatedDataA: string = '',
  associatedDataB: string = ''
): Buffer {
  return createHash('sha512')
    .update(concatWithLengths(`${DOMAIN}_ISK`, sessionId, sharedPoint))
    .update(concatWithLengths(shareA, associatedDataA))
    .update(concatWithLengths(shareB, associatedDataB))
    .digest()
}

/** The draft's explicit key confirmation: proves to the other side that we hold the same session key. */
export function confirmationTag(sessionId: Uint8Array, sessionKey: Uint8Array, ownShare: Uint8Array): Buffer {
  const key = createHash('sha512').update('CPaceMac').update(sessionId).update(sessionKey).digest()
  return createHmac('sha256', key).update(concatWithLengths(ownShare, '')).digest()
}
