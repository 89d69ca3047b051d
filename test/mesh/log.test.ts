import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TestMesh } from './harness.ts'

interface LogLine {
  readonly time: string
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

test('with --log-format json every line on stderr is an object: console output, failures, the end', async () => {
  await using mesh = new TestMesh()
  const file = mesh.write(
    'jobs.ts',
    `export default [() => console.log('hello'), () => { throw new RangeError('too many') }]`
  )
  const run = mesh.command(['run', file, '--log-format', 'json', '--slots', '1'])
  expect(await run.exit(), run.stderr).toBe(1)
  const lines = run.stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LogLine)
  for (const { time } of lines) expect(new Date(time).toISOString()).toBe(time)
  const find = (pattern: RegExp): LogLine | undefined => lines.find(({ message }) => pattern.test(message))
  expect(find(/no password/)).toMatchObject({ level: 'info' })
  expect(find(/hello/)).toMatchObject({ level: 'info', job: 0 })
  expect(find(/job 1 failed: RangeError: too many/)).toMatchObject({
    level: 'error',
    job: 1,
    error: { name: 'RangeError' }
  })
  expect(find(/1 done, 1 failed/)).toMatchObject({ done: 1, failed: 1 })
})

test('--log-level: silence at error, what goes on at debug', async () => {
  await using mesh = new TestMesh()
  const file = mesh.write('jobs.ts', 'export default [() => 1]')
  const quiet = mesh.command(['run', file, '--log-level', 'error'])
  expect(await quiet.exit()).toBe(0)
  expect(quiet.stderr).toBe('')
  const chatty = mesh.command(['run', file, '--log-level', 'debug'])
  expect(await chatty.exit()).toBe(0)
  expect(chatty.stderr).toMatch(/jobs\.ts: 1 jobs to .*\n.*jobs\.ts: 1 results/)
})

test('an error in the jobs file is shown with its code and not with our stack', async () => {
  await using mesh = new TestMesh()
  const file = mesh.write(
    'jobs.ts',
    `const settings = undefined as never as { size: number }\nexport default [() => settings.size, settings.size]`
  )
  const run = mesh.command(['run', file])
  expect(await run.exit()).toBe(2)
  expect(run.stderr).toMatch(
    /^dist-node: .*jobs\.ts cannot be loaded: TypeError: Cannot read properties of undefined/
  )
  expect(run.stderr).toMatch(/> 2 │ export default/)
  expect(run.stderr).not.toMatch(/node:internal|dist\//)
})

test('run --trace writes a timeline, start --metrics answers', async () => {
  await using mesh = new TestMesh()
  const file = mesh.write('jobs.ts', 'export default [() => 1, () => 2]')
  const node = mesh.command([
    'start', '--json', '--slots', '1', '--no-mdns', '--metrics', '0', '--mesh', mesh.name,
    '--dir', join(mesh.folder, 'state'), '--password-file', join(mesh.folder, 'password')
  ]) // prettier-ignore
  await node.until(({ lines }) => lines.length > 0)
  const { metrics } = JSON.parse(node.lines[0]!) as { metrics: string }
  const trace = join(mesh.folder, 'trace.json')
  const run = mesh.run(file, ['--no-local', '--trace', trace])
  expect(await run.exit(), run.stderr).toBe(0)
  const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8')) as { traceEvents: { cat?: string }[] }
  expect(traceEvents.filter(({ cat }) => cat === 'job')).toHaveLength(2)
  expect(await (await fetch(metrics)).text()).toMatch(/dist_node_jobs_total\{outcome="ok"\} 2/)
})
