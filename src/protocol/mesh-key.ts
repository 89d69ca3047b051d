import { createSecretKey, scrypt } from 'node:crypto'
import type { KeyObject, ScryptOptions } from 'node:crypto'
import { inspect } from 'node:util'
import { calculateGenerator } from './cpace.ts'

// 32 MiB and 70-80 ms, once at start-up. Guessing goes through the network, one try per handshake, so this only has to
// make a stolen memory image dear; more would delay every start.
const SCRYPT: ScryptOptions = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 }
const PASSWORD_STRING_BYTES = 32
const MAX_MESH_NAME_BYTES = 64
// oxlint-disable-next-line no-control-regex -- NUL separates the mesh name from what follows in derived keys
const FORBIDDEN_IN_MESH_NAME = /[\0-\x1f\x7f-\x9f]/

/**
 * What the password of a mesh becomes, for one epoch of it. The password itself is not kept, and the derived secret
 * never leaves this object: printing, inspecting or serialising it shows `[secret]`.
 */
export class MeshKey {
  readonly mesh: string
  /** Counts the passwords this mesh has had; both sides must use the same one. */
  readonly epoch: number
  readonly #passwordString: KeyObject

  private constructor(mesh: string, epoch: number, passwordString: KeyObject) {
    this.mesh = mesh
    this.epoch = epoch
    this.#passwordString = passwordString
  }

  /**
   * Derives the key with scrypt (RFC 7914), salted with the mesh name.
   *
   * @param password leading and trailing white space does not count, nor how accents are composed (NFKC)
   * @param mesh 1 to 64 bytes of UTF-8 without control characters; public
   * @param epoch 0 to 2^32-1, default 0; public
   * @throws {RangeError} when an argument is out of range
   * @example const key = await MeshKey.derive('correct horse battery staple', 'default')
   */
  static async derive(password: string, mesh: string, epoch: number = 0): Promise<MeshKey> {
    const normalised = password.trim().normalize('NFKC')
    if (normalised === '') throw new RangeError('password: expected at least one character, got none')
    checkMeshName(mesh)
    if (!Number.isInteger(epoch) || epoch < 0 || epoch > 0xffff_ffff) {
      throw new RangeError(`epoch: expected a whole number from 0 to 4294967295, got ${epoch}`)
    }
    const bytes = await stretch(normalised, `dist-node/prs/v1\0${mesh}`)
    const passwordString = createSecretKey(bytes)
    bytes.fill(0)
    return new MeshKey(mesh, epoch, passwordString)
  }

  /** The CPace generator for one handshake: the one thing the secret is used for. */
  generator(channelIdentifier: Uint8Array, sessionId: Uint8Array): Buffer {
    const secret = this.#passwordString.export()
    const point = calculateGenerator(secret, channelIdentifier, sessionId)
    secret.fill(0)
    return point
  }

  toJSON(): string {
    return '[secret]'
  }

  toString(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return `MeshKey { mesh: ${inspect(this.mesh)}, epoch: ${this.epoch}, [secret] }`
  }
}

/** @throws {RangeError} when the name cannot be used */
export function checkMeshName(mesh: string): void {
  const bytes = Buffer.byteLength(mesh)
  if (bytes < 1 || bytes > MAX_MESH_NAME_BYTES || FORBIDDEN_IN_MESH_NAME.test(mesh)) {
    throw new RangeError(
      `mesh: expected a name of 1 to ${MAX_MESH_NAME_BYTES} bytes without control characters, got ${inspect(mesh)}`
    )
  }
}

function stretch(password: string, salt: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, PASSWORD_STRING_BYTES, SCRYPT, (error, key) => {
      if (error != null) reject(error)
      else resolve(key)
    })
  })
}
