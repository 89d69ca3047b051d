/**
 * libp2p makes loggers for every connection, stream and queue, which costs more than many a message. Nobody reads them unless
 * the environment variable `DEBUG` says so, as with other programs that use the package `debug`.
 */
import type { ComponentLogger, Logger } from '@libp2p/interface'

const ignore = (): void => undefined

const quiet: Logger = Object.assign(() => undefined, {
  enabled: false,
  error: ignore,
  trace: ignore,
  newScope: () => quiet
})

/** What to give libp2p for its logger; nothing where somebody debugs it. */
export function quietLogger(): { logger?: ComponentLogger } {
  return process.env['DEBUG'] === undefined ? { logger: { forComponent: () => quiet } } : {}
}
