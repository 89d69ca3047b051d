import type { Connection } from '@libp2p/interface'

/**
 * Which connections are in use: libp2p hands out one it has, so two nodes that dial each other at once may talk twice over
 * one. Whichever conversation ends first must leave it to the other.
 */
export class ConnectionUses {
  readonly #uses = new Map<Connection, number>()

  begin(connection: Connection): void {
    this.#uses.set(connection, (this.#uses.get(connection) ?? 0) + 1)
  }

  /**
   * The last one to end closes the connection.
   *
   * @param error why it is of no use any more: then it is cut, without waiting for the other side
   */
  async end(connection: Connection, error?: Error): Promise<void> {
    const left = (this.#uses.get(connection) ?? 1) - 1
    if (left > 0) {
      this.#uses.set(connection, left)
      return
    }
    this.#uses.delete(connection)
    if (error === undefined) await connection.close().catch(() => undefined)
    else connection.abort(error)
  }
}
