/** What the attacks are aimed at: things of the process that started the worker. All of them are there during the test. */
export interface Target {
  /** A 0600 file of the parent's user; holds `secret`. */
  readonly secretFile: string
  /** Also in the parent's environment and in its memory. */
  readonly secret: string
  /** A SQLite file with a table `cookies(value)` that holds `secret`. */
  readonly databaseFile: string
  /** A folder that the parent's user, and anybody, may write to. */
  readonly writableFolder: string
  readonly parentPid: number
  /** An HTTP server of the parent's on 127.0.0.1 that answers `secret`. */
  readonly httpPort: number
  readonly udpPort: number
  readonly socketPath: string
  /** Name of a socket in Linux's abstract namespace, without its leading zero byte. */
  readonly abstractName: string
  /** A shared library that is surely there. */
  readonly library: string
}

/**
 * One attack: gives what it got, as text, or throws, or gives nothing. It runs as a job and, to see what each layer is
 * worth, in other processes as text: so it uses no name from outside of it.
 */
export interface Attack {
  readonly name: string
  readonly attack: (target: Target) => unknown
}
