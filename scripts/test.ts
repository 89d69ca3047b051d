/**
 * `npm test`: every check there is, one after another, and a last line that counts them. A check that fails does not
 * stop the others: one run shows everything.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missingRights } from './lan/rights.ts'

interface Counts {
  passed: number
  failed: number
  skipped: number
}

const CHECKS: readonly [name: string, command: string, ...args: string[]][] = [
  ['lint, layers and import cycles', 'oxlint', '--type-aware'],
  ['format', 'oxfmt', '--check'],
  ['types of the package', 'tsc', '--noEmit'],
  ['types of tests, scripts and examples', 'tsc', '--project', 'test/tsconfig.json'],
  ['unused files, exports and dependencies', 'knip'],
  ['shape of the published package', 'publint', '--strict']
]

process.chdir(join(import.meta.dirname, '..'))
const folder = mkdtempSync(join(tmpdir(), 'dist-node-test-'))
const total: Counts = { passed: 0, failed: 0, skipped: 0 }
try {
  for (const [name, command, ...args] of CHECKS) {
    const ok = (await run(command, args, 'only when it fails')) === 0
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`)
    total[ok ? 'passed' : 'failed']++
  }
  const report = join(folder, 'report.json')
  const exitCode = await run('vitest', [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${report}`
  ])
  add(total, readReport(report, exitCode))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const rights = missingRights()
if (rights !== undefined) console.log(`skipped: the LAN tests, because ${rights}`)
console.log(
  `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`
)
process.exitCode = total.failed > 0 ? 1 : 0

async function run(
  command: string,
  args: readonly string[],
  show: 'always' | 'only when it fails' = 'always'
): Promise<number> {
  const child = spawn(command, args, {
    stdio: show === 'always' ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
  if (exitCode !== 0) process.stdout.write(output)
  return exitCode
}

/** A runner that failed without a failed test (a file that does not load, say) counts as one failure. */
function readReport(path: string, exitCode: number): Counts {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>
    const failed = report['numFailedTests'] ?? 0
    return {
      passed: report['numPassedTests'] ?? 0,
      failed: exitCode !== 0 && failed === 0 ? 1 : failed,
      skipped: report['numPendingTests'] ?? 0
    }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

function add(sum: Counts, more: Counts): void {
  sum.passed += more.passed
  sum.failed += more.failed
  sum.skipped += more.skipped
}
