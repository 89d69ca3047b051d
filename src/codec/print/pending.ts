import { RefusalSignal } from '../errors.ts'
import type { Segment } from '../path.ts'

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

/** Work put off while the rest of a value was looked at, and where it was met. */
export interface Postponed {
  readonly work: () => Promise<void>
  readonly path: readonly Segment[]
}

/** All of it as one: done side by side, and a refusal in it knows its path. */
export function pendingAll(postponed: readonly Postponed[]): Pending {
  const all = [...postponed]
  return new Pending(async () => {
    await Promise.all(all.map(({ work, path }) => work().catch((error: unknown) => rethrow(error, path))))
  })
}

function rethrow(error: unknown, path: readonly Segment[]): never {
  if (error instanceof RefusalSignal) error.path ??= path
  throw error
}
