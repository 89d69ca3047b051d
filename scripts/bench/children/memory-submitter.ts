/**
 * Runs in a process of its own: submits so many empty jobs and says how much memory that took at the peak.
 * Arguments: system, count, and for dist-node the mesh and the executor as JSON.
 */
import { empty } from '../jobs.ts'
import { peakMb } from '../peak-memory.ts'
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

const elapsedMs = await (system === 'piscina' ? throughPiscina() : throughDistNode())
console.log(`peak ${peakMb().toFixed(1)} MB, ${Math.round((count / elapsedMs) * 1000)} jobs/s`)
