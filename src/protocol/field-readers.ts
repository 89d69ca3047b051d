/** Readers of what several control messages have in common. */
import { FrameError } from './errors.ts'
import { describe, Fields } from './fields.ts'
import { MAX_BATCH_BLOBS, MAX_LISTED_ADDRESSES, MAX_NAME_LENGTH } from './limits.ts'
import { toPrintableLine } from './printable.ts'

export const RUN_ID = /^[0-9a-f]{32}$/
export const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{32,128}$/
const HASH = /^[0-9a-f]{64}$/
const ADDRESS = /^\/[\x21-\x7e]{1,255}$/
const MAX_JOB = 0xffff_ffff
const MAX_ATTEMPT = 0xffff

export function readName(fields: Fields, name: string): string {
  return toPrintableLine(fields.text(name, MAX_NAME_LENGTH))
}

export function readPeer(item: unknown, where: string): { id: string; addresses: string[] } {
  const fields = new Fields(where, item)
  return {
    id: fields.matching('id', PEER_ID),
    addresses: fields.list('addresses', MAX_LISTED_ADDRESSES, (address, at) => readText(address, at, ADDRESS))
  }
}

export function readHash(item: unknown, where: string): string {
  return readText(item, where, HASH)
}

export function readText(item: unknown, where: string, pattern: RegExp): string {
  if (typeof item === 'string' && pattern.test(item)) return item
  throw new FrameError(`${where}: expected text like ${pattern}, got ${describe(item)}`)
}

export function readJob(item: unknown, where: string): number {
  if (typeof item === 'number' && Number.isInteger(item) && item >= 0 && item <= MAX_JOB) return item
  throw new FrameError(`${where}: expected a job number, got ${describe(item)}`)
}

export function readAttempt(item: unknown, where: string): { job: number; attempt: number } {
  const fields = new Fields(where, item)
  return { job: fields.uint('job', MAX_JOB), attempt: fields.uint('attempt', MAX_ATTEMPT) }
}

/** The optional setup function of a run. */
export function readSetup(fields: Fields): { setup?: { body: Uint8Array; blobs: string[] } } {
  if (!fields.has('setup')) return {}
  const setup = fields.fields('setup')
  return { setup: { body: setup.bytes('body'), blobs: setup.list('blobs', MAX_BATCH_BLOBS, readHash) } }
}
