/**
 * The pictures of the README, made from the real thing: `node scripts/pictures.ts` starts a mesh on this machine, types
 * commands into a terminal (tmux) and draws what it shows. Needs tmux; not part of the tests.
 */
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LocalMesh } from './local-mesh.ts'
import { drawTerminal, Terminal } from './terminal-picture.ts'

const COLUMNS = 100
const root = join(import.meta.dirname, '..')
mkdirSync(join(root, 'docs'), { recursive: true })

await using mesh = new LocalMesh()
await Promise.all(['attic', 'cellar', 'desk'].map((name) => mesh.start(name, 1)))

// The options that keep this mesh apart from others are in a function of the shell, so that the picture shows commands
// as people type them.
const command = `node ${join(root, 'bin/dist-node.mjs')} "$1" ${mesh.options('run').join(' ')} "\${@:2}"`
writeFileSync(
  join(mesh.folder, 'shell'),
  `unset CI NO_COLOR\nPS1='$ '\ndist-node() { ${command}; }\ncd ${mesh.folder}/examples\nclear\n`
)

cpSync(join(root, 'examples'), join(mesh.folder, 'examples'), { recursive: true })

using terminal = new Terminal(
  { columns: COLUMNS, rows: 30 },
  { XDG_RUNTIME_DIR: mesh.folder, TERM: 'xterm-256color' }
)
terminal.type(`source ${join(mesh.folder, 'shell')}`)
await terminal.until(/^\$ *$/m)
terminal.type('dist-node run whiten.ts --no-local --min-peers 3')
await terminal.until(/3 done in[^]*slowest: .*\n\$ *$/)
terminal.type('dist-node run mandelbrot.ts --quiet -- 640 mandelbrot.png')
await terminal.until(/640 pixels\n\$ *$/)
draw('demo')
copyFileSync(join(mesh.folder, 'examples/mandelbrot.png'), join(root, 'docs/mandelbrot.png'))

terminal.type('clear')
writeFileSync(
  join(mesh.folder, 'examples/sweep.ts'),
  `const spin = (ms: number) => { const end = performance.now() + ms; while (performance.now() < end); }
   export default Array.from({ length: 120 }, (_, n) => () => { spin(60 + (n % 7) * 20); return n })`
)
terminal.type('dist-node run sweep.ts --no-local --min-peers 3 --out results.ndjson')
await terminal.until(/(4\d|5\d|6\d) of 120[\s\S]*●/)
draw('progress')
await terminal.until(/120 done in[^]*slowest: .*\n\$ *$/)

terminal.type('clear')
terminal.type('dist-node start --name garage --slots 2 --pause-on-battery')
await terminal.until(/joined[^]*joined[^]*joined/)
await mesh.run([
  'run',
  join(root, 'examples/pi.ts'),
  '--quiet',
  '--name',
  'laptop',
  '--no-local',
  '--min-peers',
  '4'
])
await terminal.until(/< pi\.ts from laptop ended[^]*laptop left/)
draw('start')

function draw(name: string): void {
  writeFileSync(join(root, `docs/${name}.svg`), drawTerminal(terminal.screen(), COLUMNS, 'dist-node'))
}
