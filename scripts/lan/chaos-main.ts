/**
 * The long chaos run:
 *
 *     npm run chaos -- --minutes 30 --seed 7
 *
 * Prints its seed, every fault and a report; exits with 1 when something was lost, doubled, wrong or left behind. The
 * nodes run from a copy of this working tree's build, which may be built anew meanwhile.
 */
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { missingRights } from './rights.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const COPIED = ['bin', 'dist', 'package.json']

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    executors: { type: 'string', default: '4' },
    jobs: { type: 'string', default: '2000' },
    /** A file for the report. */
    json: { type: 'string' },
    help: { type: 'boolean', default: false }
  }
})
if (values.help) {
  console.log(
    'usage: npm run chaos -- [--minutes N] [--seed S] [--executors N] [--jobs N a run] [--json FILE]'
  )
  process.exit()
}
const copy = mkdtempSync(join(tmpdir(), 'dist-node-chaos-'))
process.once('exit', () => rmSync(copy, { recursive: true, force: true }))
for (const part of COPIED.filter((part) => existsSync(join(ROOT, part))))
  cpSync(join(ROOT, part), join(copy, part), { recursive: true })
symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
process.env['LAN_ROOT'] = copy

const { chaos } = await import('./chaos.ts')
const { summarise } = await import('./chaos-summary.ts')
const { missingBuild } = await import('./nodes.ts')
const missing = missingRights() ?? missingBuild()
if (missing !== undefined) {
  console.error(missing)
  process.exit(1)
}
console.log(`seed ${values.seed}`)
const [seed, minutes] = [Number(values.seed), Number(values.minutes)]
const report = await chaos({
  seed,
  durationMs: minutes * 60_000,
  executors: Number(values.executors),
  jobs: Number(values.jobs),
  log: (line) => console.log(line)
})
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ seed, minutes, ...report }, undefined, 2)}\n`)
console.log(`\n${summarise(seed, minutes, report)}`)
process.exitCode = report.defects.length === 0 ? 0 : 1
