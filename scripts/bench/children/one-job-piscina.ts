/** Runs in a process of its own: one empty job in piscina, from import to result. */
import { piscina } from '../systems/thread-pool.ts'

await using pool = await piscina.start('')
await pool.runAll('empty', [0])
console.log('done')
