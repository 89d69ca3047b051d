/**
 * Every failure of the conversation with a peer. One class per decision the caller takes; `code` never changes.
 */
export class ProtocolError extends Error {
  readonly code: string = 'PROTOCOL_ERROR'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** The peer sent bytes that no honest peer sends: broken or hostile. Drop the connection. */
export class FrameError extends ProtocolError {
  override readonly code = 'FRAME_INVALID'
}

/** The peer did not finish the handshake as the protocol says, or not in time. Trying again later may work. */
export class HandshakeError extends ProtocolError {
  override readonly code = 'HANDSHAKE_FAILED'
}

/** The peer's password differs from ours. Asking again gives the same answer: leave the peer alone. */
export class WrongPasswordError extends ProtocolError {
  override readonly code = 'WRONG_PASSWORD'
}

/** The peer belongs to a mesh of another name. Nothing is wrong: leave the peer alone. */
export class OtherMeshError extends ProtocolError {
  override readonly code = 'OTHER_MESH'
}

/** One side has a password epoch the other does not know (yet): the password was rotated. Try again later. */
export class EpochError extends ProtocolError {
  override readonly code = 'UNKNOWN_EPOCH'
}

/** The peer speaks another major version of the protocol. One of the two has to be updated. */
export class VersionError extends ProtocolError {
  override readonly code = 'VERSION_MISMATCH'
}

/** Too many handshakes or too many wrong passwords lately, here or at the peer. Try again later. */
export class BusyError extends ProtocolError {
  override readonly code = 'PEER_BUSY'
}

/** The channel is closed: nothing more can be sent or received. Use another peer or open a new channel. */
export class ChannelClosedError extends ProtocolError {
  override readonly code = 'CHANNEL_CLOSED'
}

/** A message cannot travel because it is over a limit. Nothing was sent; the channel goes on. */
export class MessageTooLargeError extends ProtocolError {
  override readonly code = 'MESSAGE_TOO_LARGE'
}
