import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exposition } from '../../src/cli/metrics/exposition.ts'
import { MetricsServer } from '../../src/cli/metrics/metrics-server.ts'
import { UsageError } from '../../src/index.ts'
import { createTestMesh } from '../../src/testing.ts'

test('the text format, with labels that need escaping', () => {
  const samples = [{ labels: { name: 'a "b"\\\n' }, value: 1.5 }]
  expect(exposition([{ name: 'x_total', help: 'What it is.', type: 'counter', samples }])).toBe(
    '# HELP x_total What it is.\n# TYPE x_total counter\nx_total{name="a \\"b\\"\\\\\\n"} 1.5\n'
  )
})

test('a node tells over HTTP what it did, and all that the document names', async () => {
  await using mesh = await createTestMesh(1)
  const [node] = mesh.nodes
  await using server = await MetricsServer.start(node!, { host: '127.0.0.1', port: 0 })
  const jobs = [1, 2, 3, 4].map((n) => () => {
    if (n === 4) throw new Error('four')
    return n
  })
  for await (const result of mesh.submitter.run(jobs)) void result
  const response = await fetch(server.url)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const text = await response.text()
  expect(text).toMatch(/^dist_node_jobs_total\{outcome="ok"\} 3$/m)
  expect(text).toMatch(/^dist_node_jobs_total\{outcome="error"\} 1$/m)
  expect(text).toMatch(/^dist_node_runs_total 1$/m)
  expect(text).toMatch(/^dist_node_slots 1$/m)
  expect(text).toMatch(/^dist_node_peers 1$/m)
  const told = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name!)
  const document = readFileSync(join(import.meta.dirname, '../../docs/observability.md'), 'utf8')
  const documented = [...document.matchAll(/`((?:dist_node|process)_\w+)`/g)].map(([, name]) => name!)
  expect(documented.toSorted()).toEqual(told.toSorted())
  expect((await fetch(server.url.replace('/metrics', '/'))).status).toBe(404)
  const port = Number(new URL(server.url).port)
  // A page in a browser whose name leads to the loopback.
  const rebound = get({
    host: '127.0.0.1',
    port,
    path: '/metrics',
    headers: { host: `evil.example:${port}` }
  })
  const [refused] = (await once(rebound, 'response')) as [IncomingMessage]
  expect(refused.statusCode).toBe(421)
  refused.resume()
  await expect(MetricsServer.start(node!, { host: '127.0.0.1', port })).rejects.toThrow(UsageError)
})
