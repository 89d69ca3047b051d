/**
 * A node that will be killed: starts a worker process with an endless job at the level given, says its process ids, and
 * waits. Run by the test of what happens then.
 */
import { execFileSync } from 'node:child_process'
import type { SandboxLevel } from '../../src/worker/level.ts'
import { TestWorker } from './run-jobs.ts'
import { sandboxOf } from './sandboxes.ts'

const sandbox = await sandboxOf(process.argv[2] as SandboxLevel)
if (sandbox === undefined) throw new Error('this level does not work here')
const worker = await TestWorker.open(sandbox)
const outcomes = await worker.batch([
  () => process.pid,
  () => {
    for (;;);
  }
])
await outcomes[0]
console.log(JSON.stringify(descendantsOf(process.pid)))

function descendantsOf(pid: number): number[] {
  let children: number[] = []
  try {
    const output = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    children = output.trim().split(/\s+/).map(Number)
  } catch {
    // ps ends with 1 when there are none
  }
  return [...children, ...children.flatMap(descendantsOf)]
}
