/**
 * - `JOURNAL_DAMAGED`: the file is not, or no longer, what was written.
 * - `JOURNAL_UNWRITABLE`: the disk is full, the folder read-only.
 * - `JOURNAL_IN_USE`: another process goes on with this very run now.
 * - `JOURNAL_UNKNOWN_RUN`: no run, or more than one, goes by that id.
 * - `JOURNAL_NEWER`: a newer dist-node wrote the file.
 */
export type JournalErrorCode =
  | 'JOURNAL_DAMAGED'
  | 'JOURNAL_UNWRITABLE'
  | 'JOURNAL_IN_USE'
  | 'JOURNAL_UNKNOWN_RUN'
  | 'JOURNAL_NEWER'

/**
 * A journal that cannot be used: the message names the file and says why.
 *
 * @example if (error instanceof JournalError && error.code === 'JOURNAL_UNKNOWN_RUN') startAnew()
 */
export class JournalError extends Error {
  override readonly name = 'JournalError'
  /** Stable, for programs: one of {@link JournalErrorCode}. */
  readonly code: JournalErrorCode

  constructor(code: JournalErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
