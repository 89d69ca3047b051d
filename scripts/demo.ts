/**
 * `npm run demo`: a mesh on this machine. Three nodes as separate processes with a fresh password and state folders
 * of their own find one another, and `dist-node run` sends them the jobs of examples/whiten.ts. Nothing is left over.
 */
import { join } from 'node:path'
import { LocalMesh, type NodeEvent } from './local-mesh.ts'

const NAMES = ['alice', 'bob', 'carol']

process.chdir(join(import.meta.dirname, '..'))
process.on('SIGINT', () => undefined) // the children get it too, and then the mesh is disposed of

let exitCode: number
{
  await using mesh = new LocalMesh()
  console.log('three nodes, one password, no server:')
  await Promise.all(
    NAMES.map((name) => {
      console.log(`$ dist-node start --name ${name}`)
      return mesh.start(name, 1, (event) => report(name, event))
    })
  )
  console.log('functions travel to them; results come back as they finish:')
  const args = ['run', 'examples/whiten.ts', '--no-local', '--min-peers', String(NAMES.length)]
  console.log(`$ dist-node ${args.join(' ')}`)
  exitCode = await mesh.run(args)
}
console.log(
  exitCode === 0 ? 'all nodes stopped, nothing left behind' : `something went wrong (exit code ${exitCode})`
)
process.exitCode = exitCode

function report(self: string, { event, name, slots, sandbox, node }: NodeEvent): void {
  if (event === 'ready') console.log(`  ${self} is ready: ${slots} slot, sandbox ${sandbox}`)
  else if (event === 'peer-joined' && NAMES.includes(name)) console.log(`  ${self} found ${name}`)
  else if (event === 'run-started') console.log(`  ${self} works for ${node}`)
}
