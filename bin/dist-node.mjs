#!/usr/bin/env node
// Plain JavaScript that any Node can parse: on a Node too old for libp2p 3 the user gets this one line instead of
// a misleading ECONNRESET from deep inside.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    `dist-node needs Node.js 24 or newer, and this is ${process.version} (${process.execPath}). ` +
      'Install a newer Node (https://nodejs.org) and try again.\n'
  )
  process.exit(2)
}
const { main } = await import('../dist/cli/main.js')
await main(process.argv.slice(2))
