/**
 * What the command says besides its results, on stderr: lines for people, or with `--log-format json` one JSON object
 * per line for log collectors.
 */
import { visible } from './output.ts'

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

let threshold: LogLevel = 'info'
let asJson = false

/** Set once, by the options of the command. */
export function setUpLog(options: { logLevel?: LogLevel; logFormat?: 'text' | 'json' }): void {
  threshold = options.logLevel ?? 'info'
  asJson = options.logFormat === 'json'
}

/** Whether each line on stderr has to be a JSON object. */
export function logsJson(): boolean {
  return asJson
}

export function isLogged(level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(threshold)
}

export const log = {
  error: (message: string, fields?: object): void => write('error', message, fields),
  warn: (message: string, fields?: object): void => write('warn', message, fields),
  info: (message: string, fields?: object): void => write('info', message, fields),
  debug: (message: string, fields?: object): void => write('debug', message, fields)
}

/** What has a form of its own for people: as it is for them, as a message with fields for programs. */
export function say(lines: readonly string[], message: string, fields: object): void {
  if (asJson) log.info(message, fields)
  else if (isLogged('info')) for (const line of lines) console.error(line)
}

/** @param fields what programs want to find by name; people get the message alone */
function write(level: LogLevel, message: string, fields: object = {}): void {
  if (!isLogged(level)) return
  if (asJson) console.error(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }))
  else console.error(visible(`${level === 'warn' ? 'warning: ' : ''}${message}`))
}
