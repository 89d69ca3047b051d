import { describe, expect, test } from 'vitest'
import { TestMesh } from './harness.ts'

describe('mistakes get exit code 2 and a message that helps', () => {
  test.each([
    { args: ['rnu', 'jobs.ts'], says: /unknown command 'rnu'.*Did you mean run\?/s },
    { args: ['run'], says: /missing required argument 'file'/ },
    { args: ['run', 'nowhere.ts'], says: /nowhere\.ts: no such file/ },
    { args: ['run', 'nowhere.ts', '--orderd'], says: /unknown option '--orderd'.*--ordered/s },
    { args: ['run', 'empty.ts'], says: /empty\.ts: expected the default export to be an iterable of jobs/ },
    { args: ['run', '.'], says: /\. is a folder; expected a JavaScript or TypeScript file/ },
    { args: ['run', 'numbers.ts', 'more.ts'], says: /numbers\.ts takes no arguments, got 'more\.ts'/ },
    {
      args: ['run', 'numbers.ts', '--peer', '10.0.0.7'],
      says: /--peer: expected an address such as \/ip4\//
    },
    { args: ['runs', 'forget'], says: /expected rm, got 'forget'/ },
    { args: ['eval', '1 +'], says: /expected an expression or a function, got '1 \+': Expression expected/ },
    {
      args: ['run', 'numbers.ts', '--out', 'no/such/file'],
      says: /file cannot be written: no such file or directory/
    },
    { args: ['run', 'broken.ts'], says: /broken\.ts cannot be loaded/ },
    { args: ['run', 'numbers.ts'], says: /job 0: expected a function or job\(fn, args\), got number/ },
    {
      args: ['run', 'empty.ts', '--timeout', '5 minutes'],
      says: /expected a duration such as 500ms, 30s or 5m, got '5 minutes'/
    },
    { args: ['run', 'empty.ts', '--slots', 'two'], says: /expected a whole number, got 'two'/ },
    { args: ['start', '--password', 'hunter2'], says: /there is no --password/ },
    { args: ['start', '--password-file', 'open'], says: /open can be read by others; run: chmod 600/ },
    { args: ['start', '--password-file', 'weak'], says: /expected at least 12/ },
    { args: ['run', 'empty.ts', '--allow-fs-read', '..'], says: /jobs must not read .*secrets are in/ },
    { args: ['run', 'empty.ts', '--allow-fs-read', 'nowhere'], says: /nowhere does not exist/ },
    { args: ['run', 'numbers.ts', '--no-local'], says: /no password, so there are no peers to run on/ },
    { args: ['start'], says: /no password: make one with dist-node init/ },
    {
      args: ['start', '--sandbox', 'permission', '--sandbox-min', 'bwrap', '--password-file', 'password'],
      says: /^dist-node: sandbox "permission" is weaker than the wanted minimum "bwrap"\n$/
    },
    { args: ['start', '--pause-when-busy', '0'], says: /expected a whole number from 1 to 100, got '0'/ },
    { args: ['start', '--metrics', 'here'], says: /expected a port or host:port such as 9464/ },
    { args: ['start', '--nice', '-5'], says: /expected a whole number from 0 to 19, got '-5'/ },
    { args: ['start', '--sandbox', 'none'], says: /expected auto, bwrap, unshare, permission/ }
  ])('dist-node $args', async ({ args, says }) => {
    await using mesh = new TestMesh()
    mesh.write('empty.ts', 'export const nothing = 1')
    mesh.write('broken.ts', 'export default [() => {')
    mesh.write('numbers.ts', 'export default [1, 2, 3]')
    mesh.write('open', 'a long enough password')
    mesh.writePassword('weak', 'short')
    const command = mesh.command(args)
    expect(await command.exit(), command.stderr).toBe(2)
    expect(command.stderr).toMatch(says)
    expect(command.lines).toEqual([])
  })
})
