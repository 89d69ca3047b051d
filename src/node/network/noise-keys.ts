/**
 * libp2p's Noise hands its private keys to OpenSSL anew for each of the three Diffie-Hellman operations of a handshake,
 * which takes longer than the operation. This encrypter's are handed over once: the node's own for all connections.
 */
import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import type { ConnectionEncrypter } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { importScalar, multiply } from '../../protocol/cpace.ts'

interface KeyPair {
  readonly publicKey: Uint8Array
  readonly privateKey: Uint8Array
}

/** What `@chainsafe/libp2p-noise` calculates with; its types do not show it. */
interface NoiseCrypto {
  generateKeypair: () => KeyPair
  dh: (own: KeyPair, other: Uint8Array | Uint8ArrayList) => Uint8Array
}

export function keepKeys<C>(
  makeEncrypter: (components: C) => ConnectionEncrypter
): (components: C) => ConnectionEncrypter {
  return (components) => {
    const encrypter = makeEncrypter(components)
    const { crypto } = encrypter as { crypto?: Partial<NoiseCrypto> }
    if (crypto?.dh === undefined || crypto.generateKeypair === undefined) return encrypter
    const imported = new WeakMap<Uint8Array, KeyObject>()
    const importOnce = (privateKey: Uint8Array): KeyObject => {
      const key = imported.get(privateKey) ?? importScalar(privateKey)
      imported.set(privateKey, key)
      return key
    }
    crypto.dh = (own, other) => multiply(importOnce(own.privateKey), other.subarray())
    crypto.generateKeypair = () => {
      const privateKey = randomBytes(32)
      const { x = '' } = createPublicKey(importOnce(privateKey)).export({ format: 'jwk' })
      return { privateKey, publicKey: Buffer.from(x, 'base64url') }
    }
    return encrypter
  }
}
