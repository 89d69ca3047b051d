import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type RunningCommand, TestMesh } from './harness.ts'

function list(mesh: TestMesh, args: readonly string[] = [], passwordFile = 'password'): RunningCommand {
  const state = join(mesh.folder, 'state-peers')
  const common = ['--mesh', mesh.name, '--dir', state, '--password-file', join(mesh.folder, passwordFile)]
  // It answers when all that were heard of have been tried, however long that takes on a busy machine.
  return mesh.command(['peers', '--no-mdns', '--wait', '30s', ...common, ...args])
}

test('peers are listed as a table and as JSON', async () => {
  await using mesh = new TestMesh()
  await Promise.all([mesh.start('cellar', { slots: 2 }), mesh.start('attic')])
  const [table, json] = [list(mesh), list(mesh, ['--json', '--dir', join(mesh.folder, 'state-json')])]
  expect(await table.exit(), table.stderr).toBe(0)
  expect(table.lines[0]).toMatch(/^NAME +SLOTS +BUSY +SANDBOX +VERSION +RTT +ADDRESS +ID$/)
  const names = table.lines.slice(1).map((line) => line.split(/ +/).slice(0, 2))
  expect(names).toEqual(
    expect.arrayContaining([
      ['attic', '1'],
      ['cellar', '2']
    ])
  )
  expect(await json.exit(), json.stderr).toBe(0)
  expect(json.lines.map((line) => JSON.parse(line) as object)).toEqual(
    expect.arrayContaining([expect.objectContaining({ name: 'cellar', slots: 2, busy: 0 })])
  )
})

test('who is refused gets exit code 3 and the reason; an empty mesh is no failure', async () => {
  await using mesh = new TestMesh()
  const alone = list(mesh)
  expect(await alone.exit(), alone.stderr).toBe(0)
  expect(alone.stderr).toMatch(/no peers found.*dist-node doctor/s)
  expect(alone.lines).toEqual([])
  await mesh.start('attic')
  mesh.writePassword('wrong', 'dn1-another password')
  const refused = list(mesh, [], 'wrong')
  expect(await refused.exit(), refused.stderr).toBe(3)
  expect(refused.stderr).toMatch(/warning: .*wrong password or mesh/)
})

test('--watch without a terminal is a usage error that names the way for programs', async () => {
  await using mesh = new TestMesh()
  const watch = list(mesh, ['--watch'])
  expect(await watch.exit()).toBe(2)
  expect(watch.stderr).toMatch(/draws on a terminal.*start --slots 0 --json/)
})
