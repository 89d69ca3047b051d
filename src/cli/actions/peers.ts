import { styleText } from 'node:util'
import { createLogUpdate } from 'log-update'
import { type DistNode, UsageError } from '../../index.ts'
import { EXIT } from '../exit.ts'
import { log } from '../log.ts'
import { interruptSignal, untilAborted } from '../interrupt.ts'
import { createNode } from '../create-node.ts'
import { visible } from '../output.ts'
import { peerTable, peerTotals } from '../peer-table.ts'
import type { MeshOptions } from '../mesh-options.ts'

export interface PeersOptions extends MeshOptions {
  wait: number
  watch?: boolean
  exit: (code: number) => void
}

/** A table that follows within a second, and no faster than the eye. */
const REDRAW_MS = 250

/** What happened lately, below the live table. */
const MAX_NEWS = 5

export async function peers(options: PeersOptions): Promise<void> {
  if (options.watch === true && (options.json === true || !process.stdout.isTTY))
    throw new UsageError(
      '--watch draws on a terminal; programs read the events of dist-node start --slots 0 --json'
    )
  const { node, password } = await createNode(options, { slots: 0, ask: true, start: false })
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const refusals = new Set<string>()
  try {
    if (!password)
      throw new UsageError('no password: make one with dist-node init, or store yours with dist-node join')
    node.on('peer-refused', ({ address, message }) => refusals.add(`${address}: ${message}`))
    if (options.watch === true) await watch(node, signal)
    else {
      await node.start()
      await node.whenSettled({ timeoutMs: options.wait, signal })
      show(node, options)
    }
    if (options.watch !== true && refusals.size > 0) options.exit(EXIT.mesh)
    if (options.watch !== true && signal.aborted) options.exit(EXIT.interrupted)
  } finally {
    dispose()
    await node.stop('done looking')
  }
  if (options.watch !== true) for (const refusal of refusals) log.warn(refusal)
}

function show(node: DistNode, options: PeersOptions): void {
  if (options.json === true) {
    for (const peer of node.peers) console.log(JSON.stringify(peer))
  } else if (node.peers.length === 0) {
    log.info('no peers found; is dist-node start running on another machine, with this password?')
    log.info('dist-node doctor looks for the reason')
  } else {
    const colours = process.stdout.hasColors?.() ?? false
    const columns = process.stdout.isTTY ? process.stdout.columns : undefined
    console.log(peerTable(node.peers, { columns, colours }))
  }
}

/** Draws the peers and the latest news anew until the signal. */
async function watch(node: DistNode, signal: AbortSignal): Promise<void> {
  const draw = createLogUpdate(process.stdout)
  const news: string[] = []
  const tell = (text: string): void => {
    const time = new Date().toTimeString().slice(0, 8)
    news.push(visible(`${time}  ${text}`))
    if (news.length > MAX_NEWS) news.shift()
    redraw()
  }
  const redraw = (): void => draw(screen(node, news))
  node.on('peer-joined', ({ name, address }) => tell(`+ ${name} joined from ${address}`))
  node.on('peer-left', ({ name }, reason) => tell(`- ${name} left: ${reason}`))
  node.on('peer-refused', ({ address, message }) => tell(`! ${address}: ${message}`))
  const timer = setInterval(redraw, REDRAW_MS)
  try {
    await node.start()
    redraw()
    await untilAborted(signal)
  } finally {
    clearInterval(timer)
    node.removeAllListeners()
    draw.done()
  }
}

function screen(node: DistNode, news: readonly string[]): string {
  const { columns } = process.stdout
  const dim = (text: string): string => styleText('dim', text, { stream: process.stdout })
  const colours = process.stdout.hasColors()
  const head = `${styleText('bold', visible(node.mesh), { stream: process.stdout })}  ${peerTotals(node.peers)}  ${dim('Ctrl-C ends')}`
  const body = node.peers.length === 0 ? dim('looking …') : peerTable(node.peers, { columns, colours })
  return [head, '', body, ...(news.length === 0 ? [] : ['', ...news.map(dim)])].join('\n')
}
