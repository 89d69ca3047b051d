import { setPriority } from 'node:os'
import { type DistNode, UsageError } from '../../index.ts'
import { EXIT } from '../exit.ts'
import { interruptSignal, untilAborted } from '../interrupt.ts'
import { log } from '../log.ts'
import { MetricsServer, type Endpoint } from '../metrics/metrics-server.ts'
import { pauseWhenNeeded } from '../lending/pause-lending.ts'
import { createNode } from '../create-node.ts'
import { watchPassword } from '../watch-password.ts'
import type { MeshOptions, SandboxOptions } from '../mesh-options.ts'

export interface StartOptions extends MeshOptions, SandboxOptions {
  nice?: number
  hold: boolean
  /** In milliseconds. */
  drain: number
  metrics?: Endpoint
  pauseOnBattery?: boolean
  /** From 0 to 1. */
  pauseWhenBusy?: number
}

export async function start(options: StartOptions): Promise<void> {
  // Worker processes inherit it.
  if (options.nice !== undefined) setPriority(options.nice)
  refusePausesElsewhere(options)
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const { node, password, passwordFile } = await createNode(options, {
    hold: options.hold,
    drainMs: options.drain,
    start: false,
    ask: true
  })
  const watchers: (() => void)[] = []
  try {
    if (!password)
      throw new UsageError('no password: make one with dist-node init, or store yours with dist-node join')
    const report = options.json === true ? reportJson(node) : reportText(node)
    await node.start()
    await using metrics =
      options.metrics === undefined ? undefined : await MetricsServer.start(node, options.metrics)
    report.ready(metrics?.url)
    watchers.push(pause(node, options, report))
    if (passwordFile !== undefined) watchers.push(followPassword(node, passwordFile, options))
    await untilAborted(signal)
    if (options.json !== true)
      log.info(`stopping: running jobs have ${options.drain / 1000} s to end (Ctrl-C again: at once)`)
  } finally {
    for (const stopWatching of watchers) stopWatching()
    await node.stop('stopped by its owner')
    dispose()
  }
}

/** How what happens is told. */
interface Report {
  /** @param metrics where figures for Prometheus are */
  ready(metrics: string | undefined): void
  /** @param reason why nothing is lent; `undefined`: it is again */
  lending(reason: string | undefined): void
}

function refusePausesElsewhere({ pauseOnBattery, pauseWhenBusy }: StartOptions): void {
  if (process.platform === 'linux' || (pauseOnBattery !== true && pauseWhenBusy === undefined)) return
  throw new UsageError(
    '--pause-on-battery and --pause-when-busy know how to look on Linux only; leave them out'
  )
}

/** Returns what ends the watching. */
function pause(node: DistNode, { pauseOnBattery, pauseWhenBusy }: StartOptions, report: Report): () => void {
  if (pauseOnBattery !== true && pauseWhenBusy === undefined) return () => undefined
  const rules = { onBattery: pauseOnBattery === true, busyShare: pauseWhenBusy }
  return pauseWhenNeeded(node, rules, (reason) => report.lending(reason))
}

/** `dist-node rotate` and `join` change the file of a running node; no restart is needed. */
function followPassword(node: DistNode, file: string, options: StartOptions): () => void {
  return watchPassword(file, options.weakPassword === true, {
    async onChange(password) {
      await node.changePassword(password)
      log.info(`the password in ${file} has changed: using it from now on`)
    },
    onError: (error) => log.warn(`${error.message}; still using the password from before`)
  })
}

/** One JSON object per line; the first is `ready`. */
function reportJson(node: DistNode): Report {
  const print = (event: string, more: object): void => console.log(JSON.stringify({ event, ...more }))
  node.on('peer-joined', (peer) => print('peer-joined', peer))
  node.on('peer-left', ({ id, name }, reason) => print('peer-left', { id, name, reason }))
  node.on('peer-refused', (refusal) => print('peer-refused', refusal))
  node.on('warning', (message) => log.warn(message))
  node.on('run-held', (run) => print('run-held', run))
  node.on('run-started', (run) => print('run-started', run))
  node.on('run-ended', (run) => print('run-ended', run))
  return {
    ready(metrics) {
      const { peerId, name, addresses, slots, sandbox, mesh } = node
      print('ready', {
        peerId,
        name,
        addresses,
        slots,
        sandbox,
        mesh,
        ...(metrics === undefined ? {} : { metrics })
      })
    },
    lending: (reason) => (reason === undefined ? print('resumed', {}) : print('paused', { reason }))
  }
}

/** One calm line per event, on stderr: stdout is for results. */
function reportText(node: DistNode): Report {
  const say = (text: string, fields?: object): void => log.info(text, fields)
  node.on('peer-joined', ({ name, address, slots }) =>
    say(`+ ${name} joined from ${address} (${count(slots, 'slot')})`)
  )
  node.on('peer-left', ({ name }, reason) => say(`- ${name} left: ${reason}`))
  node.on('peer-refused', ({ address, message }) => say(`! ${address}: ${message}`))
  node.on('warning', (message) => log.warn(message))
  node.on('run-held', ({ run, label, node: from, jobs }) =>
    say(`= ${label} of ${from} is held here: ${count(jobs, 'job')}, id ${run}`)
  )
  node.on('run-started', ({ label, node: from }) => say(`> ${label} from ${from}`))
  node.on('run-ended', ({ label, node: from }) => say(`< ${label} from ${from} ended`))
  return {
    ready(metrics) {
      say(
        `${node.name} lends ${count(node.slots, 'slot')} to the mesh '${node.mesh}', sandbox ${node.sandbox}`
      )
      for (const address of node.addresses) say(`  ${address}`)
      if (metrics !== undefined) say(`  figures for Prometheus: ${metrics}`)
      for (const note of node.sandboxNotes) say(`  note: ${note}`)
    },
    lending(reason) {
      if (reason === undefined) say(`lending ${count(node.slots, 'slot')} again`)
      else say(`paused, because ${reason}: what runs here goes on, the rest runs elsewhere`)
    }
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
