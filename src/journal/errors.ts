export type JournalErrorCode =
  | 'JOURNAL_DAMAGED'
  | 'JOURNAL_UNWRITABLE'
  | 'JOURNAL_IN_USE'
  | 'JOURNAL_UNKNOWN_RUN'
  | 'JOURNAL_NEWER'

/** A file of the state folder that cannot be used: the message names it and says what to do. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
  /**
   * - `JOURNAL_DAMAGED`: the file is not, or no longer, what was written.
   * - `JOURNAL_UNWRITABLE`: the disk is full, the folder read-only.
   * - `JOURNAL_IN_USE`: another process goes on with this very run now.
   * - `JOURNAL_UNKNOWN_RUN`: no run, or more than one, goes by that id.
   * - `JOURNAL_NEWER`: a newer dist-node wrote the file.
   */
  readonly code: JournalErrorCode

  constructor(code: JournalErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
