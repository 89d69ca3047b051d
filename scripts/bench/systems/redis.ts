/** A Redis of the benchmark's own: on a random port of the loopback interface, nothing on disk. */
import type { ChildProcess } from 'node:child_process'
import { execFileSync } from 'node:child_process'
import { end, freePort, Lines, start } from '../child.ts'

export interface Redis extends AsyncDisposable {
  readonly port: number
  readonly version: string
}

/** @throws {MissingError} when redis-server is not installed */
export async function startRedis(folder: string): Promise<Redis> {
  const port = await freePort()
  const settings = { port, bind: '127.0.0.1', save: '', appendonly: 'no', dir: folder }
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)])
  const server: ChildProcess = await start('redis-server', args)
  await new Lines(server.stdout, 'redis-server').find(/Ready to accept connections/)
  const version = /v=([\d.]+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1]
  return { port, version: version ?? 'unknown', [Symbol.asyncDispose]: () => end(server) }
}
