import { createSecretKey } from 'node:crypto'
import { MeshKey } from '../../../src/protocol/mesh-key.ts'
import type { DirectionKeys } from '../../../src/protocol/seal.ts'

/** Deriving takes 80 ms, so tests share what they can. */
export const meshKey: MeshKey = await MeshKey.derive('correct horse battery staple', 'default')
export const otherPasswordKey: MeshKey = await MeshKey.derive('incorrect horse', 'default')
export const otherMeshKey: MeshKey = await MeshKey.derive('correct horse battery staple', 'other')
export const newerKey: MeshKey = await MeshKey.derive('a new password', 'default', 7)

export function directionKeys(fill: number): DirectionKeys {
  return {
    frame: createSecretKey(Buffer.alloc(32, fill)),
    part: createSecretKey(Buffer.alloc(32, fill + 100))
  }
}
