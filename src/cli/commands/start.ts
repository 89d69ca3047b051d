import { type Command, InvalidArgumentError } from 'commander'
import { addExamples } from '../help.ts'
import type { Endpoint } from '../metrics/metrics-server.ts'
import { addMeshOptions, addSandboxOptions, duration } from '../mesh-options.ts'
import type { StartOptions } from '../actions/start.ts'

const EXAMPLES = {
  start: 'lend every core until Ctrl-C',
  'start --nice 10 --pause-on-battery --pause-when-busy 30': 'lend a desktop politely',
  'start --peer /ip4/10.0.0.7/tcp/4001': 'where multicast does not reach',
  'start --listen /ip4/0.0.0.0/tcp/4001': 'a fixed port, for a firewall'
}

export function addStart(program: Command): void {
  const command = program
    .command('start')
    .description('lend this machine to the mesh until Ctrl-C')
    .option('--nice <n>', 'let other programs go first: 0 not at all, 19 always', niceness)
    .option(
      '--metrics <[host:]port>',
      'figures for Prometheus over HTTP; on the loopback unless a host is given',
      endpoint
    )
    .option('--pause-on-battery', 'lend nothing while the machine runs on its battery')
    .option(
      '--pause-when-busy <percent>',
      'lend nothing while other programs use that much of the processors',
      percent
    )
    .option('--drain <duration>', 'how long running jobs may go on when it stops', duration, 10_000)
    .option('--no-hold', 'take no runs that others detach')
  addExamples(
    addSandboxOptions(addMeshOptions(command)).action(async (options: StartOptions) => {
      const { start } = await import('../actions/start.ts')
      await start(options)
    }),
    EXAMPLES
  )
}

function niceness(text: string): number {
  if (/^1?\d$/.test(text)) return Number(text)
  throw new InvalidArgumentError(`Expected a whole number from 0 to 19, got '${text}'.`)
}

function percent(text: string): number {
  if (/^([1-9]\d?|100)$/.test(text)) return Number(text) / 100
  throw new InvalidArgumentError(`Expected a whole number from 1 to 100, got '${text}'.`)
}

/** `9464`, `0.0.0.0:9464`, `[::1]:9464`. */
function endpoint(text: string): Endpoint {
  const [, host = '127.0.0.1', port = ''] = /^(?:(\[[\da-f:.]+\]|[^:[\]]+):)?(\d{1,5})$/i.exec(text) ?? []
  if (port === '' || Number(port) > 65_535)
    throw new InvalidArgumentError(
      `Expected a port or host:port such as 9464 or 0.0.0.0:9464, got '${text}'.`
    )
  return { host: host.replaceAll(/[[\]]/g, ''), port: Number(port) }
}
