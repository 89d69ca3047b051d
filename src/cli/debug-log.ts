/** What happens inside, with `--log-level debug`. */
import { subscribe } from 'node:diagnostics_channel'
import type { DistNode, JobsSent, ResultsPassed } from '../index.ts'
import { isLogged, log } from './log.ts'

/** For the rest of this process. */
export function logForDebugging(node: DistNode): void {
  if (!isLogged('debug')) return
  node.on('peer-joined', (peer) => log.debug(`connected with ${peer.name} at ${peer.address}`, { peer }))
  node.on('peer-unreachable', ({ id, addresses, sources, error }) => {
    const why = error instanceof Error ? error.message : String(error)
    const who = { peer: id, addresses, sources }
    log.debug(`${addresses.join(', ')} (heard of by ${sources.join(', ')}) not reached: ${why}`, who)
  })
  const onJobs = (message: unknown): void => {
    const { node: to, label, jobs, bytes } = message as JobsSent
    log.debug(`${label}: ${jobs.length} jobs to ${to}, ${bytes} bytes`, message as JobsSent)
  }
  const onResults =
    (way: 'from' | 'to') =>
    (message: unknown): void => {
      const passed = message as ResultsPassed
      log.debug(`${passed.label}: ${passed.results.length} results ${way} ${passed.node}`, passed)
    }
  subscribe('dist-node:jobs-sent', onJobs)
  subscribe('dist-node:results-received', onResults('from'))
  subscribe('dist-node:results-sent', onResults('to'))
}
