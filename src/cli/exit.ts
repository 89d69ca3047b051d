/** Exit codes of the command; a contract with scripts. */
export const EXIT = {
  ok: 0,
  /** Some job failed. */
  jobFailed: 1,
  /** The command line or a file cannot be used. */
  usage: 2,
  /** The mesh: wrong password, too few peers, all peers lost. */
  mesh: 3,
  interrupted: 130
} as const

/** Ends the command with this code after a message for the user; everything opened has been closed on the way. */
export class ExitError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}
