/**
 * Thrown where printing needs something that takes time: a site to be analysed, a package to be bundled. The printer does
 * that work and starts again. Not an Error: it is never seen outside.
 */
export class Pending {
  readonly work: () => Promise<void>

  constructor(work: () => Promise<void>) {
    this.work = work
  }
}
