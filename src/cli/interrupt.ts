/**
 * Ctrl-C and SIGTERM as an abort signal: the first asks to end in order, the second ends at once.
 */
export function interruptSignal(exitCodeOfSecond: number): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(exitCodeOfSecond)
    controller.abort(new Interrupted())
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const dispose = (): void => {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
  return { signal: controller.signal, dispose }
}

/** Resolves when the signal is aborted, be it before or from now on, or after `timeoutMs`. */
export async function untilAborted(signal: AbortSignal, timeoutMs?: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs)
  signal.addEventListener('abort', () => resolve(), { once: true })
  if (signal.aborted) resolve()
  await promise
  clearTimeout(timer)
}

/** The reason of the abort. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'

  constructor() {
    super('interrupted')
  }
}
