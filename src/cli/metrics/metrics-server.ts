import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type DistNode, UsageError } from '../../index.ts'
import { exposition } from './exposition.ts'
import { NodeMetrics } from './node-metrics.ts'

/** Where to listen. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Answers `GET /metrics` until it is disposed of. */
export class MetricsServer implements AsyncDisposable {
  readonly #server: Server
  readonly #metrics: NodeMetrics

  private constructor(server: Server, metrics: NodeMetrics) {
    this.#server = server
    this.#metrics = metrics
  }

  /** @throws {UsageError} when it cannot listen there */
  static async start(node: DistNode, { host, port }: Endpoint): Promise<MetricsServer> {
    const metrics = new NodeMetrics(node)
    const server = createServer({ requestTimeout: 5_000 }, (request, response) => {
      if (isLoopback(host) && !isLoopback(hostOf(request.headers.host))) {
        response.writeHead(421).end('this server is on the loopback\n')
        return
      }
      const found = request.method === 'GET' && request.url === '/metrics'
      const type = found ? 'text/plain; version=0.0.4; charset=utf-8' : 'text/plain'
      response.writeHead(found ? 200 : 404, { 'content-type': type })
      response.end(found ? exposition(metrics.read()) : 'GET /metrics\n')
    })
    server.listen(port, host)
    try {
      await once(server, 'listening')
    } catch (error) {
      metrics[Symbol.dispose]()
      throw new UsageError(`--metrics ${host}:${port}: cannot listen there: ${(error as Error).message}`, {
        cause: error
      })
    }
    return new MetricsServer(server, metrics)
  }

  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/metrics`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#metrics[Symbol.dispose]()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** Without the port; IPv6 without brackets. */
function hostOf(header: string | undefined): string {
  return (header ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}

/** A page in a browser reaches the loopback by a name of its own that leads there (DNS rebinding), but has to say that name. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
