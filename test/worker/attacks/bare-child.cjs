/* oxlint-disable no-eval -- attacks come as text, and run in a process made for it */
// What runs in the place of our child when a test asks how far a layer goes alone: nothing is taken away here.
'use strict'
// The first thing our child does as well: it is part of the permission model.
process.permission?.drop?.('inspector')
let text = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (chunk) => (text += chunk))
process.stdin.on('end', async () => {
  const { source, target } = JSON.parse(text)
  const answer = {}
  try {
    answer.got = (await (0, eval)(`(${source})`)(target)) || ''
  } catch (error) {
    answer.refused = String((error && error.code) || error)
  }
  require('fs').writeSync(1, JSON.stringify(answer))
  process.reallyExit(0)
})
