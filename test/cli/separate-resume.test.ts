import { expect, test } from 'vitest'
import { separateResume } from '../../src/cli/separate-resume.ts'

test.each([
  ['run jobs.ts --resume', 'run jobs.ts --resume'],
  ['run jobs.ts --resume 3f2a91', 'run jobs.ts --resume 3f2a91'],
  ['run --resume jobs.ts', 'run jobs.ts --resume'],
  ['run --resume 3f2a91 jobs.ts', 'run --resume 3f2a91 jobs.ts'],
  ['run --resume jobs.ts --quiet -- a b', 'run jobs.ts --quiet --resume -- a b'],
  ['run --resume --quiet jobs.ts', 'run --resume --quiet jobs.ts'],
  ['run jobs.ts -- --resume x', 'run jobs.ts -- --resume x'],
  ['peers', 'peers']
])('%s', (typed, parsed) => {
  expect(separateResume(typed.split(' '))).toEqual(parsed.split(' '))
})
