import { hash } from 'node:crypto'
import { contentKey, type KeySource } from './content-key.ts'
import { TAG } from '../tags.ts'

/**
 * What a printed value means, like its content key, in two parts: jobs that differ in what they captured share `code`.
 * Two names are equal when both parts are.
 */
export interface ContentName {
  readonly code: string
  readonly rest: Uint8Array
}

/** Values up to this are part of their name as they are: hashing would cost more than the bytes do. */
const MAX_PLAIN_BYTES = 64

/** A closure begins with its tag, an array of two, and 32 bytes: the hash of its unit. */
const CLOSURE = [0xd9, TAG.closure >> 8, TAG.closure & 0xff, 0x82, 0x58, 0x20]
const CLOSURE_BYTES = CLOSURE.length + 32

/**
 * Cheaper than a content key for what most jobs are: one closure, or arguments, with plain data in them. Only tags of our
 * own name what belongs to one process, so bytes without any are the same everywhere.
 */
export function contentName(bytes: Uint8Array, hasUnits: boolean, source: KeySource): ContentName {
  if (!hasUnits && !mentionsOwnTag(bytes, 0)) return named('', bytes)
  if (isClosure(bytes) && !mentionsOwnTag(bytes, CLOSURE_BYTES)) {
    const unit = Buffer.from(bytes.buffer, bytes.byteOffset + CLOSURE.length, 32).toString('hex')
    return named(source.functionKey(unit), bytes.subarray(CLOSURE_BYTES))
  }
  return { code: 'whole', rest: Buffer.from(contentKey(bytes, hasUnits, source), 'hex') }
}

function named(code: string, rest: Uint8Array): ContentName {
  if (rest.length <= MAX_PLAIN_BYTES) return { code, rest }
  return { code: `${code}#`, rest: hash('sha256', rest, 'buffer') }
}

function isClosure(bytes: Uint8Array): boolean {
  return bytes.length >= CLOSURE_BYTES && CLOSURE.every((byte, at) => bytes[at] === byte)
}

const OWN_TAG = Buffer.from([0xd9, TAG.closure >> 8])

/** Whether the two bytes with which our tags begin are anywhere: as a tag, or by chance. */
export function mentionsOwnTag(bytes: Uint8Array, from: number): boolean {
  if (bytes.length - from > MAX_PLAIN_BYTES) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(OWN_TAG, from)
  }
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === 0xd9 && bytes[at + 1] === OWN_TAG[1]) return true
  }
  return false
}
