/** The one protocol that peers speak. The major version changes when old peers could not follow. */
export const PROTOCOL = '/dist-emacs/1.0.0'

/** First byte of the first two handshake messages; goes with the major version of {@link PROTOCOL}. */
export const HANDSHAKE_VERSION = 1

/** Keeps proofs made for this purpose from being valid for any other program that uses CPace. */
export const CPACE_LABEL = 'dist-node/cpace-x25519-sha512/v1'

/** All four handshake messages, together. A round trip on a LAN is 1 ms, the arithmetic another; the rest is patience. */
export const HANDSHAKE_TIMEOUT_MS = 6_000

/** Longest handshake message. The longest real one has 64 bytes, and its length must fit one byte of varint. */
export const MAX_HANDSHAKE_MESSAGE_BYTES = 127

/** Frame header behind the length: type, flags, two reserved bytes, sequence number. */
export const FRAME_HEADER_BYTES = 12

/** HMAC-SHA256, not truncated. */
export const FRAME_TAG_BYTES = 32

/** Types below this carry CBOR and are small; types from here on have binary layouts and may be larger. */
export const FIRST_DATA_TYPE = 64

/** Value of the length field, at most, for control types: a list of 512 peers with 4 addresses each fits. */
export const MAX_CONTROL_FRAME_BYTES = 64 * 1024

/** Value of the length field, at most, for data types. Ours have 256 KiB and a little; the rest leaves room to grow. */
export const MAX_DATA_FRAME_BYTES = 1024 * 1024

/** Payloads above this travel in parts. */
export const MAX_WHOLE_PAYLOAD_BYTES = 256 * 1024

/** Bytes of payload in one part. */
export const PART_BYTES = 256 * 1024

/** Largest message that may travel in parts: what two copies of still fit in the memory of a small machine. */
export const MAX_TRANSFER_BYTES = 1024 * 1024 * 1024

/** Largest control message that may travel in parts; a run's setup function with what it captured is the big one. */
export const MAX_CONTROL_TRANSFER_BYTES = 64 * 1024 * 1024

/** Items of CBOR in one control message: decoded, each may take a few hundred bytes. */
export const MAX_CONTROL_ITEMS = 256 * 1024

/** Largest body of a job, result or blob: a transfer less the room for its header and a list of blobs. */
export const MAX_BODY_BYTES = MAX_TRANSFER_BYTES - 1024 * 1024

/** Transfers one side sends at once. More would not be faster and would cost the receiver memory. */
export const MAX_ACTIVE_TRANSFERS = 4

/** Transfers a receiver allows at once: more than honest peers use, so that a later version may send more. */
export const MAX_OPEN_TRANSFERS = 16

/** Bytes of all transfers open at once in one direction, sent or received. */
export const MAX_OPEN_TRANSFER_BYTES = 2 * MAX_TRANSFER_BYTES

/** Jobs or results in one frame: far over any useful batch, so that a count can be checked before allocating. */
export const MAX_BATCH_ITEMS = 16_384

/** Blobs one batch may need. A function with its imports needs a handful. */
export const MAX_BATCH_BLOBS = 4_096

/** Names, labels and versions, in UTF-16 units: a line on a terminal. */
export const MAX_NAME_LENGTH = 255

/** One line or block of console output of a job. */
export const MAX_LOG_LENGTH = 32 * 1024

/** Peers in one list, and addresses of each: a mesh larger than this learns the rest from other peers. */
export const MAX_LISTED_PEERS = 512
export const MAX_LISTED_ADDRESSES = 8

/** Jobs in one control message. */
export const MAX_LISTED_JOBS = 32 * 1024

/** Held runs in one answer: a holder keeps no more. */
export const MAX_LISTED_RUNS = 512

/** Results one chunk may announce, whatever their sizes. */
export const MAX_CHUNK_RESULTS = 4_096

/** Received and not yet read: the peer is held back above this, so a slow reader costs a fixed amount of memory. */
export const READ_HIGH_WATER_BYTES = 1024 * 1024

/**
 * What the stream under a channel may hold while it is held back. At least its largest flow-control window: what is
 * under way when we stop reading still arrives, and libp2p resets a stream that overflows.
 */
export const STREAM_READ_BUFFER_BYTES = 16 * 1024 * 1024

/** Sent and not yet taken by the network: senders should wait for `drained()` above this. */
export const WRITE_HIGH_WATER_BYTES = 1024 * 1024

/** Small frames written before transfers get their turn, so that neither starves the other. */
export const SMALL_FRAMES_PER_PART_BYTES = 256 * 1024

/**
 * Parts that leave in one write. Larger writes cost less for each byte; at the 200 MiB/s one connection does, these
 * delay an urgent frame by 5 ms.
 */
export const PARTS_PER_WRITE_BYTES = 1024 * 1024

/**
 * Small frames that may wait for a peer that does not read, with what they cost beside their bytes. Most are answers, and
 * who asks without reading them is cut off: an honest peer is not so far behind.
 */
export const MAX_UNREAD_BYTES = 256 * 1024 * 1024

/** How long an orderly close waits for queued messages to leave before the stream is cut. */
export const CLOSE_TIMEOUT_MS = 5_000
