import { createHash, createSecretKey, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { calculateSessionKey, confirmationTag, importScalar, multiply } from './cpace.ts'
import {
  BusyError,
  EpochError,
  HandshakeError,
  OtherMeshError,
  VersionError,
  WrongPasswordError
} from './errors.ts'
import type { ProtocolError } from './errors.ts'
import { concatWithLengths } from './length-value.ts'
import { CPACE_LABEL, HANDSHAKE_VERSION, PROTOCOL } from './limits.ts'
import type { MeshKey } from './mesh-key.ts'
import type { DirectionKeys } from './seal.ts'

// Four messages on a fresh stream; nothing else is sent or believed before both sides have proved the password:
//   M1 dialler -> listener  29 bytes: version | 8 bytes mesh tag | u32 epoch | 16 bytes nonce
//   M2 listener -> dialler  50 bytes: version | 0 | 16 bytes nonce | 32 bytes share Ya   or 2 bytes: version | refusal
//   M3 dialler -> listener  64 bytes: 32 bytes share Yb | 32 bytes proof                 the dialler proves first
//   M4 listener -> dialler  32 bytes: proof
// The peer ids in the channel identifier are those the connection's Noise handshake authenticated, so a proof made for
// one pair of nodes is worth nothing between any other.

const NONCE_BYTES = 16
const SHARE_BYTES = 32
const TAG_BYTES = 32
const MESH_TAG_BYTES = 8
const M1_BYTES = 1 + MESH_TAG_BYTES + 4 + NONCE_BYTES
const M2_BYTES = 2 + NONCE_BYTES + SHARE_BYTES

/** On the wire, the second byte of M2. Append only. */
const REFUSALS = { version: 1, mesh: 2, epoch: 3, busy: 4 } as const

/** Length-prefixed messages on the stream; a read that takes too long or finds the stream cut throws. */
export interface HandshakeWire {
  /** @param atEnd what an orderly end of the stream means here, when it means more than a broken handshake */
  read(atEnd?: ProtocolError): Promise<Uint8Array>
  write(message: Uint8Array): void
}

/** Told how a handshake goes, so that guesses can be counted. Each step is reported before it can be exploited. */
export interface HandshakeGuard {
  /** Called first. @throws {BusyError} when no further handshake with this peer may start now */
  begin(): void
  /** No proof was exchanged because the two do not belong together. */
  refused(): void
  /** From here on the peer can have learnt whether one password is right. */
  exposed(): void
  /** The peer knows the password. */
  proved(): void
  /** Called last, whatever happened. */
  end(): void
}

export interface HandshakeParty {
  /** Text peer ids, as Noise authenticated them. */
  readonly dialler: string
  readonly listener: string
  readonly guard: HandshakeGuard
  /** For tests that replay bytes. @default node:crypto's randomBytes */
  readonly random?: (bytes: number) => Uint8Array
}

/** Keys of one session, one for each direction. */
export interface SessionKeys {
  readonly send: DirectionKeys
  readonly receive: DirectionKeys
  readonly epoch: number
}

export async function proveAsDialler(
  wire: HandshakeWire,
  key: MeshKey,
  party: HandshakeParty
): Promise<SessionKeys> {
  const random = party.random ?? randomBytes
  const nonce = random(NONCE_BYTES)
  wire.write(Buffer.concat([Buffer.of(HANDSHAKE_VERSION), meshTag(key.mesh), uint32(key.epoch), nonce]))

  const answer = await wire.read()
  if (answer.byteLength === 2) {
    party.guard.refused()
    throw refusalError(answer, key)
  }
  expectLength(answer, M2_BYTES, 'second')
  if (answer[0] !== HANDSHAKE_VERSION || answer[1] !== 0)
    throw new HandshakeError('handshake: unknown second message')
  const sessionId = Buffer.concat([nonce, answer.subarray(2, 2 + NONCE_BYTES)])
  const listenerShare = answer.subarray(2 + NONCE_BYTES)

  const scalar = importScalar(random(SHARE_BYTES))
  const generator = key.generator(channelIdentifier(key, party), sessionId)
  const diallerShare = multiply(scalar, generator)
  const sessionKey = agree(sessionId, scalar, listenerShare, listenerShare, diallerShare)
  party.guard.exposed()
  wire.write(Buffer.concat([diallerShare, confirmationTag(sessionId, sessionKey, diallerShare)]))

  // A listener that finds our proof wrong says no more.
  const proof = await wire.read(wrongPassword(key.mesh))
  expectLength(proof, TAG_BYTES, 'fourth')
  if (!timingSafeEqual(proof, confirmationTag(sessionId, sessionKey, listenerShare)))
    throw wrongPassword(key.mesh)
  party.guard.proved()
  const keys = directionKeys(sessionKey, sessionId, key, party)
  return { send: keys.diallerToListener, receive: keys.listenerToDialler, epoch: key.epoch }
}

export async function proveAsListener(
  wire: HandshakeWire,
  keys: readonly MeshKey[],
  party: HandshakeParty
): Promise<SessionKeys> {
  const random = party.random ?? randomBytes
  const key = await readOpening(wire, keys, party)
  const nonce = random(NONCE_BYTES)
  const sessionId = Buffer.concat([key.diallerNonce, nonce])
  const scalar = importScalar(random(SHARE_BYTES))
  const listenerShare = multiply(
    scalar,
    key.meshKey.generator(channelIdentifier(key.meshKey, party), sessionId)
  )
  wire.write(Buffer.concat([Buffer.of(HANDSHAKE_VERSION, 0), nonce, listenerShare]))

  const answer = await wire.read()
  expectLength(answer, SHARE_BYTES + TAG_BYTES, 'third')
  party.guard.exposed()
  const diallerShare = answer.subarray(0, SHARE_BYTES)
  const sessionKey = agree(sessionId, scalar, diallerShare, listenerShare, diallerShare)
  const proof = answer.subarray(SHARE_BYTES)
  if (!timingSafeEqual(proof, confirmationTag(sessionId, sessionKey, diallerShare))) {
    throw wrongPassword(key.meshKey.mesh)
  }
  party.guard.proved()
  wire.write(confirmationTag(sessionId, sessionKey, listenerShare))
  const session = directionKeys(sessionKey, sessionId, key.meshKey, party)
  return { send: session.listenerToDialler, receive: session.diallerToListener, epoch: key.meshKey.epoch }
}

/** Reads M1 and chooses the key it asks for; answers with a refusal where there is none. */
async function readOpening(
  wire: HandshakeWire,
  keys: readonly MeshKey[],
  party: HandshakeParty
): Promise<{ meshKey: MeshKey; diallerNonce: Uint8Array }> {
  const opening = Buffer.from(await wire.read())
  const refuse = (refusal: keyof typeof REFUSALS, error: ProtocolError): ProtocolError => {
    party.guard.refused()
    wire.write(Buffer.of(HANDSHAKE_VERSION, REFUSALS[refusal]))
    return error
  }
  if (opening[0] !== HANDSHAKE_VERSION) {
    throw refuse(
      'version',
      new VersionError(`handshake: expected version ${HANDSHAKE_VERSION}, got ${opening[0]}`)
    )
  }
  expectLength(opening, M1_BYTES, 'first')
  const mesh = keys[0]?.mesh ?? ''
  if (!opening.subarray(1, 1 + MESH_TAG_BYTES).equals(meshTag(mesh))) {
    throw refuse('mesh', new OtherMeshError(`the peer belongs to another mesh than ${JSON.stringify(mesh)}`))
  }
  const epoch = opening.readUInt32BE(1 + MESH_TAG_BYTES)
  const meshKey = keys.find((key) => key.epoch === epoch)
  if (meshKey === undefined) {
    throw refuse(
      'epoch',
      new EpochError(`the peer has the password of epoch ${epoch}, which is not accepted here`)
    )
  }
  return { meshKey, diallerNonce: opening.subarray(M1_BYTES - NONCE_BYTES) }
}

/** Tells a dialler that it should come back later. */
export function refuseBusy(wire: HandshakeWire): void {
  wire.write(Buffer.of(HANDSHAKE_VERSION, REFUSALS.busy))
}

function agree(
  sessionId: Uint8Array,
  scalar: KeyObject,
  peerShare: Uint8Array,
  listenerShare: Uint8Array,
  diallerShare: Uint8Array
): Buffer {
  try {
    return calculateSessionKey(sessionId, multiply(scalar, peerShare), listenerShare, diallerShare)
  } catch (error) {
    throw new HandshakeError('handshake: the peer sent a share of low order, which no honest peer does', {
      cause: error
    })
  }
}

function directionKeys(
  sessionKey: Uint8Array,
  sessionId: Uint8Array,
  key: MeshKey,
  party: HandshakeParty
): { diallerToListener: DirectionKeys; listenerToDialler: DirectionKeys } {
  const derive = (purpose: string): KeyObject => {
    const info = [purpose, PROTOCOL, key.mesh, party.dialler, party.listener].join('\0')
    return createSecretKey(Buffer.from(hkdfSync('sha512', sessionKey, sessionId, info, 32)))
  }
  return {
    diallerToListener: { frame: derive('frame i2r'), part: derive('part i2r') },
    listenerToDialler: { frame: derive('frame r2i'), part: derive('part r2i') }
  }
}

function channelIdentifier(key: MeshKey, party: HandshakeParty): Buffer {
  return concatWithLengths(CPACE_LABEL, PROTOCOL, key.mesh, uint32(key.epoch), party.listener, party.dialler)
}

function meshTag(mesh: string): Buffer {
  return createHash('sha256').update(`dist-node/mesh\0${mesh}`).digest().subarray(0, MESH_TAG_BYTES)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function expectLength(message: Uint8Array, bytes: number, which: string): void {
  if (message.byteLength === bytes) return
  throw new HandshakeError(
    `handshake: expected a ${which} message of ${bytes} bytes, got ${message.byteLength}`
  )
}

function wrongPassword(mesh: string): WrongPasswordError {
  return new WrongPasswordError(
    `wrong password or mesh: the peer and this node do not have the same password for mesh ${JSON.stringify(mesh)}`
  )
}

function refusalError(answer: Uint8Array, key: MeshKey): ProtocolError {
  const code = answer[1] ?? 0
  switch (code) {
    case REFUSALS.version:
      return new VersionError(
        `the peer speaks handshake version ${answer[0]}, this node ${HANDSHAKE_VERSION}`
      )
    case REFUSALS.mesh:
      return new OtherMeshError(`the peer belongs to another mesh than ${JSON.stringify(key.mesh)}`)
    case REFUSALS.epoch:
      return new EpochError(`the peer does not accept the password of epoch ${key.epoch}`)
    case REFUSALS.busy:
      return new BusyError(
        'the peer has too many handshakes or wrong passwords at the moment; try again later'
      )
    default:
      return new HandshakeError(`handshake: the peer refused with unknown code ${code}`)
  }
}
