import { setPriority } from 'node:os'
import { type DistNode, UsageError } from '../../index.ts'
import type { StartOptions } from '../commands/start.ts'
import { EXIT } from '../exit.ts'
import { interruptSignal, untilAborted } from '../interrupt.ts'
import { createNode } from '../create-node.ts'
import { visible } from '../output.ts'
import { watchPassword } from '../watch-password.ts'

export async function start(options: StartOptions): Promise<void> {
  // Worker processes inherit it.
  if (options.nice !== undefined) setPriority(options.nice)
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const { node, password, passwordFile } = await createNode(options, {
    hold: options.hold,
    start: false,
    ask: true
  })
  let stopWatching: (() => void) | undefined
  try {
    if (!password)
      throw new UsageError('no password: make one with dist-node init, or store yours with dist-node join')
    const report = options.json === true ? reportJson(node) : reportText(node)
    await node.start()
    report()
    if (passwordFile !== undefined) stopWatching = followPassword(node, passwordFile, options)
    await untilAborted(signal)
    if (options.json !== true)
      console.error('stopping: running jobs have 10 s to end (Ctrl-C again: at once)')
  } finally {
    stopWatching?.()
    await node.stop('stopped by its owner')
    dispose()
  }
}

/** `dist-node rotate` and `join` change the file of a running node; no restart is needed. */
function followPassword(node: DistNode, file: string, options: StartOptions): () => void {
  const say = (text: string): void => console.error(visible(text))
  return watchPassword(file, options.weakPassword === true, {
    async onChange(password) {
      await node.changePassword(password)
      say(`the password in ${file} has changed: using it from now on`)
    },
    onError: (error) => say(`warning: ${error.message}; still using the password from before`)
  })
}

/** One JSON object per line; the first is `ready`. */
function reportJson(node: DistNode): () => void {
  const print = (event: string, more: object): void => console.log(JSON.stringify({ event, ...more }))
  node.on('peer-joined', (peer) => print('peer-joined', peer))
  node.on('peer-left', ({ id, name }, reason) => print('peer-left', { id, name, reason }))
  node.on('peer-refused', (refusal) => print('peer-refused', refusal))
  node.on('warning', (message) => console.error(visible(`warning: ${message}`)))
  node.on('run-started', (run) => print('run-started', run))
  node.on('run-ended', (run) => print('run-ended', run))
  return () => {
    const { peerId, name, addresses, slots, sandbox, mesh } = node
    print('ready', { peerId, name, addresses, slots, sandbox, mesh })
  }
}

/** One calm line per event, on stderr: stdout is for results. */
function reportText(node: DistNode): () => void {
  const say = (text: string): void => console.error(visible(text))
  node.on('peer-joined', ({ name, address, slots }) =>
    say(`+ ${name} joined from ${address} (${count(slots, 'slot')})`)
  )
  node.on('peer-left', ({ name }, reason) => say(`- ${name} left: ${reason}`))
  node.on('peer-refused', ({ address, message }) => say(`! ${address}: ${message}`))
  node.on('warning', (message) => say(`warning: ${message}`))
  node.on('run-started', ({ label, node: from }) => say(`> ${label} from ${from}`))
  node.on('run-ended', ({ label, node: from }) => say(`< ${label} from ${from} ended`))
  return () => {
    say(`${node.name} lends ${count(node.slots, 'slot')} to the mesh '${node.mesh}', sandbox ${node.sandbox}`)
    for (const address of node.addresses) say(`  ${address}`)
    for (const note of node.sandboxNotes) say(`  note: ${note}`)
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
