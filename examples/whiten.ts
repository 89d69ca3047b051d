/**
 * Key stretching: each word is hashed a hundred thousand times over. An ordinary function, an import, a constant at
 * the top of the file: all of it travels.
 *
 *     dist-node run examples/whiten.ts
 */
import { createHash } from 'node:crypto'

const ROUNDS = 100_000

function whiten(word: string): string {
  let hash = word
  for (let round = 0; round < ROUNDS; round++) hash = createHash('sha1').update(hash).digest('hex')
  return hash
}

export default ['good', 'news', 'everyone'].map((word) => () => whiten(word))
