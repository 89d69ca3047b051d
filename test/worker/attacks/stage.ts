import { createSocket } from 'node:dgram'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { close as closeInspector } from 'node:inspector'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Target } from './attack.ts'

/** What attacks look for, really there: a secret in a file, in this process, behind sockets of every kind. */
export class Stage {
  readonly target: Target
  readonly #close: (() => unknown)[]

  static async open(): Promise<Stage> {
    const secret = `the secret of ${process.pid}`
    process.env['DIST_NODE_TEST_SECRET'] = secret
    const folder = mkdtempSync(join(tmpdir(), 'dist-node-stage-'))
    chmodSync(folder, 0o755)
    const writableFolder = join(folder, 'writable')
    mkdirSync(writableFolder)
    chmodSync(writableFolder, 0o777)
    const secretFile = join(folder, 'secret.json')
    writeFileSync(secretFile, JSON.stringify(secret), { mode: 0o600 })
    const databaseFile = join(folder, 'cookies.db')
    const database = new DatabaseSync(databaseFile)
    database.exec(`create table cookies(value text); insert into cookies values ('${secret}')`)
    database.close()
    chmodSync(databaseFile, 0o600)

    const http = createHttpServer((_request, response) => response.end(secret))
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const udp = createSocket('udp4', (_message, sender) => udp.send(secret, sender.port, sender.address))
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve))
    const socketPath = join(writableFolder, 'parent.sock')
    const abstractName = `dist-node-${process.pid}`
    const unix = [createServer(), createServer()] as const
    await new Promise<void>((resolve) => unix[0].listen(socketPath, resolve))
    chmodSync(socketPath, 0o777)
    await new Promise<void>((resolve) => unix[1].listen(`\0${abstractName}`, resolve))

    const target: Target = {
      secretFile,
      secret,
      databaseFile,
      writableFolder,
      parentPid: process.pid,
      socketPath,
      abstractName,
      httpPort: (http.address() as { port: number }).port,
      udpPort: udp.address().port,
      library: loadedLibrary()
    }
    return new Stage(target, [
      () => http.close(),
      () => http.closeAllConnections(),
      () => udp.close(),
      ...unix.map((server) => () => server.close()),
      () => rmSync(folder, { recursive: true, force: true }),
      () => delete process.env['DIST_NODE_TEST_SECRET'],
      // One attack opens it, in the test that shows what happens without a sandbox.
      () => closeInspector()
    ])
  }

  private constructor(target: Target, close: (() => unknown)[]) {
    this.target = target
    this.#close = close
  }

  close(): void {
    for (const close of this.#close) close()
  }
}

/** A shared library this very process has loaded. */
function loadedLibrary(): string {
  const report = process.report.getReport() as { sharedObjects?: string[] }
  const library = report.sharedObjects?.find((file) => /\/libm[.-]/.test(file))
  if (library === undefined) throw new Error('Node names no shared library it has loaded')
  return library
}
