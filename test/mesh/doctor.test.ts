import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Finding } from '../../src/index.ts'
import { type RunningCommand, TestMesh } from './harness.ts'

function examine(mesh: TestMesh, args: readonly string[] = [], passwordFile = 'password'): RunningCommand {
  const state = join(mesh.folder, 'state-doctor')
  const common = ['--mesh', mesh.name, '--dir', state, '--password-file', join(mesh.folder, passwordFile)]
  return mesh.command(['doctor', '--json', '--wait', '2s', ...common, ...args])
}

function findings(command: RunningCommand): Map<string, Finding> {
  const all = command.lines.map((line) => JSON.parse(line) as Finding)
  return new Map(all.map((finding) => [finding.check, finding]))
}

test('doctor finds nothing wrong in a mesh that works, and names the peer', async () => {
  await using mesh = new TestMesh()
  await mesh.start('attic')
  const doctor = examine(mesh)
  expect(await doctor.exit(), doctor.lines.join('\n')).toBe(0)
  const found = findings(doctor)
  for (const check of ['Node.js', 'state folder', 'runtime folder', 'password', 'peers']) {
    expect(found.get(check), check).toMatchObject({ status: 'ok' })
  }
  expect(found.get('peers')!.message).toMatch(/^1 connected: attic \(1 slots?, /)
  expect([...found.keys()]).toEqual(
    expect.arrayContaining(['sandbox bwrap', 'sandbox permission', 'UDP port 5353', 'firewall'])
  )
})

test('doctor says who refuses this machine, and who does not answer', async () => {
  await using mesh = new TestMesh()
  await mesh.start('attic')
  mesh.writePassword('wrong', 'dn1-another password')
  const doctor = examine(mesh, ['--no-mdns', '--peer', '/ip4/127.0.0.1/tcp/9'], 'wrong')
  expect(await doctor.exit(), doctor.stderr).toBe(3)
  const found = findings(doctor)
  expect(found.get('refused')).toMatchObject({ status: 'problem' })
  expect(found.get('refused')!.message).toMatch(/wrong password or mesh/)
  expect(found.get('unreachable')).toMatchObject({ status: 'problem' })
  expect(found.get('unreachable')!.message).toMatch(/tcp\/9, .*: nothing listens/)
})

test('without a terminal there are plain lines, one or two for each finding', async () => {
  await using mesh = new TestMesh()
  const doctor = mesh.command(['doctor', '--no-mdns'], { env: { NODE_DISABLE_COLORS: '1' } })
  expect(await doctor.exit(), doctor.stderr).toBe(0)
  for (const line of doctor.lines.slice(0, -2)) expect(line).toMatch(/^([✓!✗] .{20} {2}| {24}→ )\S/)
  expect(doctor.lines.join('\n')).toMatch(
    /! password {14}there is none, so this machine works alone\n {24}→ make one/
  )
  expect(doctor.lines.at(-1)).toMatch(/^\d+ fine, \d+ warnings?, 0 problems\.$/)
})

test('doctor shows which configuration is read, and what is wrong with it', async () => {
  await using mesh = new TestMesh()
  const project = mesh.write('dist-node.config.json', '{"wait": "1ms"}')
  const good = mesh.command(['doctor', '--json', '--no-mdns'])
  await good.exit()
  expect(good.lines.map((line) => JSON.parse(line) as Finding)).toContainEqual(
    expect.objectContaining({ check: 'configuration', status: 'ok', message: `${project} (wait)` })
  )
  mesh.write('dist-node.config.json', '{"wiat": "1ms"}')
  const bad = mesh.command(['doctor', '--json', '--no-mdns', '--wait', '1ms'])
  expect(await bad.exit()).toBe(3)
  expect(bad.lines.map((line) => JSON.parse(line) as Finding)).toContainEqual(
    expect.objectContaining({
      check: 'configuration',
      status: 'problem',
      message: expect.stringMatching(/wiat does not exist/)
    })
  )
  const run = mesh.command(['run', 'jobs.ts'])
  expect(await run.exit()).toBe(2)
  expect(run.stderr).toMatch(/^dist-node: configuration .*wiat does not exist/)
})
