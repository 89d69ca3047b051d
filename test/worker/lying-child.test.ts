import { expect, test } from 'vitest'
import type { ExitReason } from '../../src/worker/exit-reason.ts'
import { WorkerProcess } from '../../src/worker/process.ts'
import { FakeChild } from './fake-child.ts'

const lies: [name: string, source: string, message: RegExp][] = [
  ['noise', 'write(Buffer.alloc(4096, 0xee))', /frame of \d+ bytes: expected 1 to/],
  ['an empty frame', 'write(Buffer.alloc(4))', /frame of 0 bytes/],
  [
    'a frame that claims 4 GiB',
    'write(Buffer.from([0xff, 0xff, 0xff, 0xff, 3]))',
    /frame of 4294967295 bytes/
  ],
  ['a type nobody knows', 'frame(77)', /unknown frame type 77/],
  ['a result that is too short', 'frame(3, [0, 0, 0, 7])', /malformed frame of type 3/],
  [
    'a result of a job it was not given',
    'frame(3, [0, 0, 0, 9, 1], Buffer.alloc(8), [0])',
    /result of job 9/
  ],
  [
    'a result twice',
    'for (const _ of "ab") frame(3, [0, 0, 0, 7, 1], Buffer.alloc(8), [0])',
    /result of job 7/
  ],
  ['a result out of order', 'frame(3, [0, 0, 0, 8, 1], Buffer.alloc(8), [0])', /result of job 8/],
  [
    'a duration that is no number',
    'frame(3, [0, 0, 0, 7, 1], [0x7f, 0xf8], Buffer.alloc(6), [0])',
    /malformed frame/
  ],
  ['a code with odd letters', 'frame(3, [0, 0, 0, 7, 0], Buffer.alloc(8), [3], "<b>")', /malformed frame/],
  ['the start of another job', 'frame(2, [0, 0, 0, 9])', /start of job 9/],
  ['output of a third stream', 'frame(4, [0, 0, 0, 7, 3], "x")', /malformed frame of type 4/],
  [
    'output without end',
    'for (;;) frame(4, [0, 0, 0, 7, 1], Buffer.alloc(60000, 65))',
    /bytes of output from one job/
  ],
  ['errors without end', 'for (;;) fs.writeSync(2, Buffer.alloc(60000, 65))', /bytes on stderr/]
]

test.each(lies)('a child that sends %s is killed', async (_name, source, message) => {
  using fake = new FakeChild(`process.stdin.once('data', () => { ${source} })`)
  const { reason, results } = await runTwoJobs(fake)
  expect(reason.message).toMatch(message)
  expect(reason.kind).toBe('limit')
  expect(['WORKER_FRAME', 'JOB_OUTPUT']).toContain(reason.code)
  const accounted = [reason.running, ...reason.unfinished].filter((attempt) => attempt !== undefined)
  expect(accounted.length + results).toBe(2)
})

test('a child that ends by itself is a crash, with its last words', async () => {
  using fake = new FakeChild(
    `process.stdin.once('data', () => { fs.writeSync(2, 'last words'); process.exit(9) })`
  )
  const { reason } = await runTwoJobs(fake)
  expect(reason).toMatchObject({ kind: 'crashed', code: 'JOB_CRASHED', running: { job: 7, attempt: 3 } })
  expect(reason.message).toMatch(/exit code 9.*last words/)
})

test('a child that never says it is ready', async () => {
  using fake = new FakeChild(`process.exit(3)`, '')
  const worker = WorkerProcess.spawn(fake.sandbox)
  await expect(worker.ready).rejects.toThrow(/exit code 3/)
  await worker.exited
  expect(worker.ended).toBe(true)
})

test('a command that does not exist', async () => {
  const command = { file: '/nonexistent/program', args: [], env: {} }
  const worker = WorkerProcess.spawn({ command: () => command })
  await expect(worker.ready).rejects.toThrow(/ENOENT/)
  await worker.kill()
})

async function runTwoJobs(fake: FakeChild): Promise<{ reason: ExitReason; results: number }> {
  const worker = WorkerProcess.spawn(fake.sandbox)
  await worker.ready
  const exit = Promise.withResolvers<ExitReason>()
  let results = 0
  worker.open({}, { results: (more) => (results += more.length), log() {}, exit: exit.resolve })
  const body = new Uint8Array(1)
  const jobs = [
    { job: 7, attempt: 3, body },
    { job: 8, attempt: 1, body }
  ]
  worker.run({ timeoutMs: 0, jobs })
  const reason = await exit.promise
  await worker.kill()
  return { reason, results }
}
