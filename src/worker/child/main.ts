/**
 * The worker process: the only code of ours that runs beside code of others. Bundled into one file, which is all it
 * sees beside Node. It knows no mesh, no key, no peer: blobs and jobs come in, results and output go out.
 */
import { writeSync as writeSyncOfNow } from 'node:fs'
import { Socket } from 'node:net'
import { Script } from 'node:vm'
import { FrameReader } from '../frame-reader.ts'
import { HELLO_JOB, decodeToChild } from '../messages.ts'
import { reduceRealm } from './realm.ts'
import { openInspector } from './own-inspector.ts'
import { JobCodec } from './job-codec.ts'
import { Output } from './output.ts'
import { Runner } from './runner.ts'

// Taken before any job can change it.
const writeSync = writeSyncOfNow

const MAX_FRAME_BYTES = 0xffffffff

// Ends at once, without the handlers a job may have left.
const exit = (process as unknown as { reallyExit(code: number): never }).reallyExit.bind(process)
const output = new Output()
const ownFile = process.argv[1] ?? 'child.cjs'
const rights = JSON.parse(process.argv[2] ?? '{}') as { net: boolean; read: string[] }

const inspector = openInspector()
const realm = reduceRealm(rights, (stream, text) => output.log(runner.currentJob, stream, text))
const codec = new JobCodec(realm.requireBuiltin, ownFile, inspector)
const runner = new Runner(codec, output)

process.on('uncaughtException', (error) => runner.uncaught(error))
process.on('unhandledRejection', (error) => runner.uncaught(error))
process.on('warning', (warning) => {
  // About Node's own parts, which the author of a job did not choose.
  if (warning.name === 'ExperimentalWarning' || warning.name === 'SecurityWarning') return
  output.log(runner.currentJob, 'stderr', `${warning.name}: ${warning.message}\n`)
})

const reader = new FrameReader(MAX_FRAME_BYTES)

/** A job as small as they come: code from text, compiled and called, as those that will be sent. */
function answerHello(nonce: Uint8Array): Uint8Array {
  const job = new Script(HELLO_JOB).runInThisContext() as (nonce: Uint8Array) => Uint8Array
  return job(nonce)
}

function takeFrame(bytes: Uint8Array): void {
  const frame = decodeToChild(bytes)
  switch (frame.type) {
    case 'hello':
      return output.hello(answerHello(frame.nonce))
    case 'open':
      return runner.open(frame.maxResultBytes, frame.setup)
    case 'blob':
      return codec.addBlob(frame.hash, frame.bytes)
    case 'jobs':
      return runner.add(frame)
  }
}

const input = new Socket({
  fd: 0,
  readable: true,
  writable: false,
  onread: {
    buffer: () => reader.target(),
    callback(count: number) {
      try {
        for (const frame of reader.advance(count)) takeFrame(frame)
      } catch (error) {
        // Not a job's error but ours: nothing here can be relied on any more.
        writeSync(2, `${error instanceof Error ? error.stack : String(error)}\n`)
        exit(70)
      }
      return true
    }
  }
})
// The parent is gone, or does not need us any more.
input.on('end', () => exit(0))
input.on('error', () => exit(0))
input.resume()
output.ready()
