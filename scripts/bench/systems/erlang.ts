/** Erlang: two worker nodes and one that submits, plain messages between them. The code is on all nodes beforehand. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { end, freePort, Lines, start } from '../child.ts'
import type { JobName } from '../jobs.ts'
import { MissingError, type RunningSystem, type System } from './system.ts'

const SOURCE = join(import.meta.dirname, 'bench.erl')

export const erlang: System = {
  name: 'erlang',
  async start(folder): Promise<RunningSystem> {
    compile(folder)
    const port = await freePort()
    const env = { ...process.env, ERL_EPMD_PORT: String(port), ERL_EPMD_ADDRESS: '127.0.0.1', HOME: folder }
    const names = await start('epmd', ['-port', String(port), '-address', '127.0.0.1'], { stdio: 'ignore' })
    // epmd says nothing when it is ready; a node that is too early gives up.
    await untilOpen(port)
    const node = (name: string, ...call: string[]): ReturnType<typeof start> =>
      start(
        'erl',
        ['-noshell', '-name', `${name}@127.0.0.1`, '-setcookie', 'bench', '-pa', folder, '+S', '1', ...call],
        { env, cwd: folder }
      )
    const workers = await Promise.all(
      ['worker1', 'worker2'].map((name) => node(name, '-s', 'bench', 'serve'))
    )
    await Promise.all(workers.map((worker) => new Lines(worker.stdout, 'erlang worker').find(/^ready/)))
    const submitter = await node('submitter', '-s', 'bench', 'submit')
    const lines = new Lines(submitter.stdout, 'erlang submitter')
    const [, release] = await lines.find(/^ready (.*)/)
    async function ask(how: string, job: JobName, inputs: readonly unknown[]): Promise<number[]> {
      submitter.stdin?.write(`${how} ${job} ${describeInputs(job, inputs)}\n`)
      const [, micros] = await lines.find(/^took (.*)/, 600_000)
      return micros!.split(' ').map((text) => Number(text) / 1000)
    }
    return {
      name: 'erlang',
      details: `Erlang/OTP ${release}, plain messages, 2 worker nodes, one scheduler each`,
      runAll: async (job, inputs) => (await ask('all', job, inputs))[0]!,
      runOneByOne: (job, inputs) => ask('each', job, inputs),
      async [Symbol.asyncDispose](): Promise<void> {
        await Promise.all([submitter, ...workers].map((child) => end(child, 'SIGKILL')))
        await end(names)
      }
    }
  }
}

/** Equal inputs go as a count and a number; sizes of bytes stand for the bytes. */
function describeInputs(job: JobName, inputs: readonly unknown[]): string {
  const numbers = inputs.map((input) => (input instanceof Uint8Array ? input.byteLength : Number(input ?? 0)))
  if (job === 'empty' || numbers.every((number) => number === numbers[0])) {
    return `repeat ${numbers.length} ${numbers[0]}`
  }
  return `list ${numbers.join(' ')}`
}

function compile(folder: string): void {
  try {
    execFileSync('erlc', ['-o', folder, SOURCE], { stdio: ['ignore', 'inherit', 'inherit'] })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw new MissingError('erlang is not installed (Debian: apt install erlang-base)', { cause })
  }
}

async function untilOpen(port: number): Promise<void> {
  const { connect } = await import('node:net')
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (open) return
    if (attempt === 100) throw new Error('epmd does not answer')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
