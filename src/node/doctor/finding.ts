/** One thing that was looked at. */
export interface Finding {
  /** What was looked at, in a word or two: `node`, `sandbox bwrap`, `interface eth0`. */
  readonly check: string
  /** `warning`: it works, but less well than it could. `problem`: something does not work until it is put right. */
  readonly status: 'ok' | 'warning' | 'problem'
  /** What was found, one sentence. */
  readonly message: string
  /** What to do about it; absent where nothing is to be done. */
  readonly advice?: string
}
