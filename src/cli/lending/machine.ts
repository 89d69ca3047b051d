/** What is known of this machine's power supply and of what its processors do for others. Linux. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** In `/proc/PID/stat` and `/proc/stat` times are counted in these. */
const TICKS_PER_SECOND = 100

/**
 * Whether a battery gives the power: one is being emptied and no mains adapter is plugged in.
 *
 * @param folder what Linux knows of power supplies
 */
export function isOnBattery(folder: string = '/sys/class/power_supply'): boolean {
  const supplies = entries(folder).map((name) => {
    const property = (file: string): string => read(join(folder, name, file))?.trim() ?? ''
    return {
      type: property('type'),
      online: property('online') === '1',
      discharging: property('status') === 'Discharging',
      // A mouse has one too.
      isDevice: property('scope') === 'Device'
    }
  })
  if (supplies.some(({ type, online }) => type !== 'Battery' && online)) return false
  return supplies.some(({ type, discharging, isDevice }) => type === 'Battery' && discharging && !isDevice)
}

/** How much processor time was used, in seconds since the machine started. */
export interface ProcessorTimes {
  /** By everybody, on all processors. */
  readonly all: number
  /** By this process and those it started, which are ended ones too. */
  readonly own: number
}

/** @param folder where the kernel shows processes */
export function processorTimes(pid: number = process.pid, folder: string = '/proc'): ProcessorTimes {
  // user, nice, system, idle, iowait, irq, softirq, steal
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] =
    read(join(folder, 'stat'))?.split('\n')[0]?.trim().split(/ +/).slice(1).map(Number) ?? []
  return { all: (user + nice + system + irq + softirq) / TICKS_PER_SECOND, own: treeTime(pid, folder) }
}

/** Share of all processors, from 0 to 1, that others used between two looks. */
export function othersShare(
  before: ProcessorTimes,
  after: ProcessorTimes,
  options: { elapsedMs: number; processors: number }
): number {
  const others = after.all - before.all - (after.own - before.own)
  return Math.min(1, Math.max(0, (others * 1_000) / (options.elapsedMs * options.processors)))
}

/** What ended children used is in their parent's account. */
function treeTime(root: number, folder: string): number {
  const children = new Map<number, number[]>()
  const used = new Map<number, number>()
  for (const name of entries(folder)) {
    if (!/^\d+$/.test(name)) continue
    const stat = read(join(folder, name, 'stat'))
    if (stat === undefined) continue
    // The name of the program, in parentheses, may have spaces and parentheses in it.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const parent = fields[1] ?? 0
    const ticks = (fields[11] ?? 0) + (fields[12] ?? 0) + (fields[13] ?? 0) + (fields[14] ?? 0)
    used.set(Number(name), ticks / TICKS_PER_SECOND)
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const sum = (pid: number): number =>
    (children.get(pid) ?? []).reduce((total, child) => total + sum(child), used.get(pid) ?? 0)
  return sum(root)
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
