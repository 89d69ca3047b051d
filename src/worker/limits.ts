/** What a worker process may use before it is stopped. Every number says why it is that number. */

/**
 * Room a job has for its JavaScript heap, in MiB, when the owner of the machine says nothing. Also what a job's
 * buffers and WebAssembly memories may take together, where `prlimit` is there to hold them to it.
 */
export const DEFAULT_JOB_MEMORY_MB = 1024

/** Below this Node itself has no room to start. */
export const MIN_JOB_MEMORY_MB = 32

/** V8 reserves its code range and Node maps its own image before any job runs: 512 MiB aborts at start-up. */
export const NODE_DATA_MB = 640

/** Enough for Node's own descriptors (about 20) and some of a job's; with the network allowed, sockets count too. */
export const OPEN_FILES = 64
export const OPEN_FILES_WITH_NET = 1024

/** Niceness of worker processes: the node that feeds several of them must not wait for one. */
export const WORKER_NICENESS = 10

/** Largest printed result. The parent must be able to hold one per worker process. */
export const MAX_RESULT_BYTES = 256 * 1024 * 1024

/** Largest piece of console output in one frame; longer text is cut into several. */
export const MAX_LOG_CHUNK_BYTES = 64 * 1024

/** Console output of one job that is forwarded. What comes after is dropped in the child, with a line saying so. */
export const MAX_LOG_BYTES_PER_JOB = 1024 * 1024

/**
 * Output of one job that no child of ours sends: the child cuts at half of it. A worker process that sends more has
 * been taken over by its job and is killed.
 */
export const MAX_LOG_BYTES_FROM_CHILD = 2 * MAX_LOG_BYTES_PER_JOB

/** Raw text on the child's stderr (V8's last words). Kept: the end of it. More than the limit: killed. */
export const KEPT_STDERR_BYTES = 8 * 1024
export const MAX_STDERR_BYTES = 1024 * 1024

/** From spawn to the first frame. Cold starts take 30 to 100 ms; a machine under heavy load takes seconds. */
export const START_TIMEOUT_MS = 15_000
export const START_LAST_LOOK_MS = 500

/**
 * A job's time limit counts from its start, which the child reports. This much more is allowed for getting there:
 * sending the argument, reading units, running the setup function.
 */
export const MIN_STARTING_GRACE_MS = 30_000

/** SIGKILL cannot be refused; a process that is still there after this waits in the kernel. */
export const KILL_TIMEOUT_MS = 5_000

/** Work that may lie in the child's pipe, in microseconds: what has been sent can no longer be recalled. */
export const SENT_AHEAD_MICROS = 4_000
export const MAX_SENT_JOBS = 2048

/** Jobs longer than this are sent one at a time: the gap between two (about 0.1 ms) no longer matters. */
export const LONG_JOB_MICROS = 20_000
