/**
 * A search that stops at the first hit: a number that, behind a text, makes its SHA-256 begin with so many zero bits.
 * The jobs have no end; leaving the loop over the results ends the run everywhere.
 *
 *     dist-node run examples/proof-of-work.ts -- 'hello, mesh' 24
 */
import { createHash } from 'node:crypto'
import { job, type JobResult } from 'dist-node'

interface Hit {
  readonly text: string
  readonly hash: string
}

const TRIES_PER_JOB = 50_000

function zeroBits(hash: Buffer): number {
  const first = hash.findIndex((byte) => byte !== 0)
  return first === -1 ? hash.length * 8 : first * 8 + Math.clz32(hash.readUInt8(first)) - 24
}

function search(text: string, bits: number, from: number): Hit | undefined {
  for (let nonce = from; nonce < from + TRIES_PER_JOB; nonce++) {
    const candidate = `${text} ${nonce}`
    const hash = createHash('sha256').update(candidate).digest()
    if (zeroBits(hash) >= bits) return { text: candidate, hash: hash.toString('hex') }
  }
  return undefined
}

export default function* stretches([text = 'hello, mesh', bits = '22']: string[]): Generator {
  for (let from = 0; ; from += TRIES_PER_JOB) yield job(search, [text, Number(bits), from])
}

export async function collect(results: AsyncIterable<JobResult<Hit | undefined>>): Promise<void> {
  for await (const { value } of results) {
    if (value === undefined) continue
    console.log(`sha256('${value.text}') = ${value.hash}`)
    return
  }
}
