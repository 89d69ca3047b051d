/**
 * What a holder keeps for others, at most. Everything here is in docs/journal.md; beyond it a run is refused, or ends as
 * failed, with a reason that names the limit.
 */

const GIB = 1024 ** 3

/** One run: functions, arguments and results together. */
export const MAX_HELD_RUN_BYTES = 4 * GIB

/** Jobs of one run. An input without end is refused here. */
export const MAX_HELD_JOBS = 1_000_000

/** One function or module, the arguments of one job, one result: what fits a row of the database with room to spare. */
export const MAX_HELD_BODY_BYTES = GIB / 2

/** Functions and modules of one run. */
export const MAX_HELD_BLOBS = 16_384

/** All runs of one submitter, by peer id. */
export const MAX_SUBMITTER_BYTES = 8 * GIB
export const MAX_SUBMITTER_RUNS = 64

/** All runs together. Ended ones make room for new ones, the oldest first. */
export const MAX_HELD_BYTES = 16 * GIB
export const MAX_HELD_RUNS = 256

/** Results of an ended run can be had for this long. */
export const KEEP_ENDED_MS = 14 * 24 * 60 * 60 * 1_000

/** Runs that use the mesh at once; the others wait in the order they came. */
export const MAX_RUNNING_HELD = 8

/** Runs one peer hands over or follows at once. */
export const MAX_HELD_TALKS = 64

/** A hand-over in which nothing comes for this long is given up: its input hangs, and it keeps room from others. */
export const MAX_SILENCE_MS = 60 * 60 * 1_000

/** Of one submitter, so that its endless runs do not keep those of others waiting. */
export const MAX_RUNNING_OF_SUBMITTER = 4

/** What a job, a result or a message takes on the disk beside its bytes, and the name of a function: about, rather too much. */
export const ROW_BYTES = 64
export const NAME_BYTES = 65

/** Nothing more is read from the disk, and no list is made, for a peer that has this much waiting for it. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024

/** Results that travel to a follower together, unless a single one is larger. */
export const CHUNK_BYTES = 1024 * 1024

/** Under way to one follower, not yet taken; a single larger chunk travels alone. */
export const FOLLOW_WINDOW_BYTES = 2 * CHUNK_BYTES
