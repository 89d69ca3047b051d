/**
 * The cable of a working executor is pulled while a run is under way, for each of these many seconds:
 *
 *     node scripts/lan/cable.ts 3 60
 *
 * Prints a line for each, and exits with 1 when a job had no result, two or a wrong one, or the executor was not back at work.
 * Too slow for `npm test`, which has the short one (test/lan/mesh-silence.test.ts). Build first.
 */
import { setTimeout as elapsed } from 'node:timers/promises'
import { Lab } from './lab.ts'
import { missingBuild, startNode } from './nodes.ts'
import { missingRights } from './rights.ts'
import { lostOrDoubled, startRun } from './runs.ts'

const NAPS = new URL('../../test/lan/jobs/naps.ts', import.meta.url).pathname
const NAP_MS = 25

/** The run lasts this much longer than the fault: before it, and to see the executor at work again. */
const MARGIN_S = 10

/** Longer than a peer that is back should take, so that late is told from never. */
const BACK_TIMEOUT_MS = 30_000

async function pull(seconds: number): Promise<{ line: string; isGood: boolean }> {
  await using lab = await Lab.create({ hosts: 3 })
  const [submitter, pulled, other] = [lab.host(0), lab.host(1), lab.host(2)]
  await Promise.all([pulled, other].map((host) => startNode(host, ['--slots', '1'])))
  // Two executors while the cable is in, one while it is not.
  const jobs = Math.round(((seconds + 2 * MARGIN_S) * 1_000) / NAP_MS)
  const options = ['--no-local', '--min-peers', '2', '--wait', '60s']
  await using run = await startRun(submitter, NAPS, [`${jobs}`, `${NAP_MS}`], options)
  const isPulled = ({ node }: { node: string }): boolean => node === pulled.name
  await run.waitForResult(isPulled, { timeoutMs: 60_000 })
  await pulled.cut()
  const before = run.results.length
  await elapsed(seconds * 1_000)
  const meanwhile = run.results.length - before
  const from = run.results.length
  await pulled.heal()
  const healedMs = performance.now()
  const back = await run.waitForResult(isPulled, { from, timeoutMs: BACK_TIMEOUT_MS }).then(
    () => `${((performance.now() - healedMs) / 1_000).toFixed(1)} s`,
    () => 'never'
  )
  const { code } = await run.end(jobs * NAP_MS + 60_000)
  const wrong = run.results.filter(({ index, value }) => index !== value).length
  const fault = lostOrDoubled(run.results, jobs) ?? (wrong > 0 ? `${wrong} wrong` : undefined)
  const again = run.results.filter(({ attempt }) => attempt > 1).length
  return {
    line: `| ${seconds} s | ${jobs} | ${meanwhile} | ${again} | ${fault ?? 'none'} | ${back} | ${code} |`,
    isGood: fault === undefined && code === 0 && meanwhile > 0 && back !== 'never'
  }
}

const missing = missingRights() ?? missingBuild()
if (missing !== undefined) {
  console.error(missing)
  process.exit(1)
}
const spans = process.argv.slice(2).map(Number)
if (spans.length === 0 || spans.some((seconds) => !(seconds > 0))) {
  console.error('usage: node scripts/lan/cable.ts SECONDS...')
  process.exit(2)
}
console.log(
  '| cable out | jobs | results meanwhile | run again | lost, doubled or wrong | back at work after | exit code |'
)
console.log('| --- | --- | --- | --- | --- | --- | --- |')
for (const seconds of spans) {
  const { line, isGood } = await pull(seconds)
  console.log(line)
  if (!isGood) process.exitCode = 1
}
