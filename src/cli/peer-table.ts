/** The peers of a mesh as a table: once, for pipes and logs, or anew whenever something changes. */
import { styleText } from 'node:util'
import type { PeerStatus } from '../index.ts'
import { visible } from './output.ts'

const HEAD = ['NAME', 'SLOTS', 'BUSY', 'SANDBOX', 'VERSION', 'RTT', 'ADDRESS', 'ID'] as const

/** Leftmost are the columns that people look at; those that do not fit are left out from the right. */
const FEWEST_COLUMNS = 3

export interface TableOptions {
  /** Width of the terminal; `undefined`: whatever it takes. */
  readonly columns?: number | undefined
  readonly colours: boolean
}

/** One line per peer, by name. The columns are as wide as what is in them. */
export function peerTable(peers: readonly PeerStatus[], { columns, colours }: TableOptions): string {
  const rows = peers
    .toSorted((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1))
    .map(({ id, name, address, slots, busy, sandbox, version, rttMs, silentMs }) => {
      const answer = silentMs > 0 ? `silent for ${Math.ceil(silentMs / 1000)} s` : `${rttMs.toFixed(1)} ms`
      return [name, `${slots}`, `${busy}`, sandbox, version, answer, address, id].map(visible)
    })
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length))
  )
  const shown = columnsThatFit(widths, columns)
  const line = (cells: readonly string[]): string =>
    cells
      .slice(0, shown)
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join('  ')
      .trimEnd()
  const head = colours ? styleText('dim', line(HEAD)) : line(HEAD)
  return [head, ...rows.map(line)].join('\n')
}

/** `3 peers lend 12 slots, 5 of them busy`. */
export function peerTotals(peers: readonly PeerStatus[]): string {
  const sum = (of: (peer: PeerStatus) => number): number => peers.reduce((total, peer) => total + of(peer), 0)
  const slots = sum((peer) => peer.slots)
  const who = peers.length === 1 ? '1 peer lends' : `${peers.length} peers lend`
  return `${who} ${slots} slot${slots === 1 ? '' : 's'}, ${sum((peer) => peer.busy)} of them busy`
}

function columnsThatFit(widths: readonly number[], room: number | undefined): number {
  if (room === undefined) return widths.length
  let used = 0
  const fits = widths.findIndex((width, at) => (used += width + (at === 0 ? 0 : 2)) > room)
  return fits === -1 ? widths.length : Math.max(FEWEST_COLUMNS, fits)
}
