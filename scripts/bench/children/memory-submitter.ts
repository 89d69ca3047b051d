/**
 * Runs in a process of its own: submits so many empty jobs and says how much memory that took at the peak.
 * Arguments: system, count, and for dist-node the mesh and the executor as JSON.
 */
import { readFileSync } from 'node:fs'
import { empty } from '../jobs.ts'
import { joinMesh, type Mesh } from '../systems/dist-node.ts'
import { piscina } from '../systems/thread-pool.ts'

const [system, countText, details = ''] = process.argv.slice(2)
const count = Number(countText)

function* numbers(): Generator<number> {
  for (let n = 0; n < count; n++) yield n
}

async function throughDistNode(): Promise<number> {
  const { mesh, peer } = JSON.parse(details) as { mesh: Mesh; peer: string }
  await using node = await joinMesh(mesh, [peer])
  const started = performance.now()
  let results = 0
  for await (const { status } of node.map(empty, numbers())) if (status === 'ok') results++
  const elapsedMs = performance.now() - started
  if (results !== count) throw new Error(`expected ${count} results, got ${results}`)
  return elapsedMs
}

async function throughPiscina(): Promise<number> {
  await using pool = await piscina.start('')
  return await pool.runAll('empty', [...numbers()])
}

/** The kernel's own count of this program; `resourceUsage()` begins with that of the process that started it. */
function peakMb(): number {
  try {
    const [, kb] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (kb !== undefined) return Number(kb) / 1024
  } catch {
    // not Linux
  }
  return process.resourceUsage().maxRSS / 1024
}

const elapsedMs = await (system === 'piscina' ? throughPiscina() : throughDistNode())
console.log(`peak ${peakMb().toFixed(1)} MB, ${Math.round((count / elapsedMs) * 1000)} jobs/s`)
