import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sandbox } from '../../src/worker/sandbox.ts'

/** A child that says what the test wants, in the place of ours: as one would that its job has taken over. */
export class FakeChild implements Disposable {
  readonly sandbox: Sandbox
  readonly #folder = mkdtempSync(join(tmpdir(), 'dist-node-fake-'))

  /** @param source runs after the frame that says the child is ready; has `write(bytes)` and `frame(type, ...parts)` */
  constructor(source: string, greeting = 'frame(0)') {
    chmodSync(this.#folder, 0o755)
    const file = join(this.#folder, 'fake.cjs')
    writeFileSync(
      file,
      `const fs = require('fs')
      const write = (bytes) => { for (let at = 0; at < bytes.length; ) at += fs.writeSync(1, bytes, at) }
      const frame = (type, ...parts) => {
        const rest = Buffer.concat(parts.map((part) => Buffer.from(part)))
        const head = Buffer.alloc(5)
        head.writeUInt32BE(1 + rest.length)
        head[4] = type
        write(Buffer.concat([head, rest]))
      }
      process.stdin.resume()
      process.stdin.on('end', () => process.exit(0))
      ${greeting}
      ${source}`
    )
    const command = { file: process.execPath, args: [file], env: {} }
    this.sandbox = { level: 'permission', notes: [], command: () => command }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
