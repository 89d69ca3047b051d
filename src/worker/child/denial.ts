// Runs in the worker process.

/** What a job asked for is not to be had on this node. The message names the option of the node's owner that allows it, if any. */
export class JobDeniedError extends Error {
  readonly code = 'JOB_DENIED'
  /** What was asked for, as `fs.readFile`. */
  readonly denied: string

  constructor(denied: string, option: string | undefined) {
    const way =
      option === undefined
        ? 'no option of the executing node allows it'
        : `the owner of the executing node can allow it with ${option}`
    super(`${denied} is refused inside a job: ${way}`)
    this.name = 'JobDeniedError'
    this.denied = denied
  }
}

/** A function in the place of one that reaches outside. It can be extended, as packages do while they load; not called. */
export function denialOf(denied: string, option: string | undefined): () => never {
  return function refused(): never {
    throw new JobDeniedError(denied, option)
  }
}
