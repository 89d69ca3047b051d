/** What the cable between a host and the switch is like. Delay, loss and rate hold for each direction by itself. */
export interface LinkConditions {
  /** False: the cable is pulled; the host's network card loses its carrier. @default true */
  readonly cable: boolean
  /** False: multicast passes neither to nor from the host. @default true */
  readonly multicast: boolean
  /** False: nobody can open a TCP connection to the host; it can open connections itself. @default true */
  readonly inbound: boolean
  /** Share of packets lost, from 0 to 1. @default 0 */
  readonly lossRatio: number
  /** Time each packet takes, in milliseconds. @default 0 */
  readonly delayMs: number
  /** Largest random addition to the delay or subtraction from it, in milliseconds. @default 0 */
  readonly jitterMs: number
  /** Bandwidth in kilobits per second; 0 means unlimited. @default 0 */
  readonly rateKbit: number
}

export const PERFECT: LinkConditions = {
  cable: true,
  multicast: true,
  inbound: true,
  lossRatio: 0,
  delayMs: 0,
  jitterMs: 0,
  rateKbit: 0
}

export function isDelayed(conditions: LinkConditions): boolean {
  return conditions.delayMs > 0 || conditions.jitterMs > 0
}

/** What `tc` calls the queue that makes packets slow, or undefined when they are not. */
export function queueFor(conditions: LinkConditions, kernelDelays: boolean): string | undefined {
  const { delayMs, jitterMs, rateKbit } = conditions
  if (kernelDelays && isDelayed(conditions)) {
    const rate = rateKbit > 0 ? ` rate ${rateKbit}kbit` : ''
    return `netem limit 100000 delay ${delayMs}ms ${jitterMs}ms${rate}`
  }
  return rateKbit > 0 ? `tbf rate ${rateKbit}kbit burst 32kb latency 200ms` : undefined
}

/** @throws RangeError when a number cannot be */
export function checkConditions(conditions: Partial<LinkConditions>): void {
  for (const name of ['delayMs', 'jitterMs', 'rateKbit'] as const) {
    const value = conditions[name] ?? 0
    if (!(Number.isFinite(value) && value >= 0)) {
      throw new RangeError(`${name}: expected a number from 0 up, got ${value}`)
    }
  }
  const ratio = conditions.lossRatio ?? 0
  if (!(ratio >= 0 && ratio <= 1))
    throw new RangeError(`lossRatio: expected a number from 0 to 1, got ${ratio}`)
}
