import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Lanes } from '../../src/cli/trace/lanes.ts'
import { TraceFile } from '../../src/cli/trace/trace-file.ts'
import { createTestMesh } from '../../src/testing.ts'

describe('lanes', () => {
  test('jobs that were answered together lie behind one another, the last one ending now', () => {
    expect(new Lanes().place([10, 20, 30], 100, 1)).toEqual([
      { lane: 0, startMs: 40, endMs: 50 },
      { lane: 0, startMs: 50, endMs: 70 },
      { lane: 0, startMs: 70, endMs: 100 }
    ])
  })

  test('what does not fit behind is beside', () => {
    const lanes = new Lanes()
    lanes.place([50, 50], 50, 2)
    const places = lanes.place([50, 50], 100, 2)
    expect(new Set(places.map(({ lane }) => lane))).toEqual(new Set([0, 1]))
  })

  test('nothing overlaps on one lane, whatever comes', () => {
    const lanes = new Lanes()
    const until = new Map<number, number>()
    for (let at = 0; at < 200; at++) {
      const slices = lanes.place(
        Array.from({ length: at % 4 }, (_, n) => ((at * 7 + n * 13) % 17) + 0.5),
        at * 5,
        3
      )
      for (const { lane, startMs, endMs } of slices.toSorted((a, b) => a.startMs - b.startMs)) {
        expect(lane).toBeLessThan(3)
        expect(endMs).toBeGreaterThanOrEqual(startMs)
        expect(startMs).toBeGreaterThanOrEqual(until.get(lane) ?? -Infinity)
        until.set(lane, endMs)
      }
    }
  })
})

interface TraceEvent {
  readonly ph: string
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly id?: number
  readonly ts?: number
  readonly dur?: number
  readonly args?: Record<string, unknown>
}

test('a run on two nodes: every job once, within the run, on a lane of its peer; batches begin and end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dist-node-trace-'))
  try {
    await using mesh = await createTestMesh(2)
    const path = join(folder, 'trace.json')
    {
      await using _trace = await TraceFile.open(path, mesh.submitter, 'test')
      const jobs = Array.from({ length: 20 }, (_, n) => () => {
        if (n === 7) throw new Error('seven')
        return n
      })
      for await (const result of mesh.submitter.run(jobs)) void result
    }
    const { traceEvents } = JSON.parse(readFileSync(path, 'utf8')) as { traceEvents: TraceEvent[] }
    const of = (phase: string): TraceEvent[] => traceEvents.filter(({ ph }) => ph === phase)
    const processes = of('M').filter(({ name }) => name === 'process_name')
    expect(processes.map(({ args }) => args!['name'])).toEqual(
      expect.arrayContaining(['submitter: test', 'node-1', 'node-2'])
    )
    expect(
      of('X')
        .map(({ args }) => args!['job'])
        .toSorted((a, b) => Number(a) - Number(b))
    ).toEqual(Array.from({ length: 20 }, (_, n) => n))
    expect(
      of('X')
        .filter(({ name }) => name.endsWith('failed'))
        .map(({ name }) => name)
    ).toEqual(['job 7 failed'])
    for (const { dur, ts, pid, tid } of of('X')) {
      expect(dur).toBeGreaterThan(0)
      expect(ts).toBeGreaterThanOrEqual(0)
      expect([2, 3]).toContain(pid)
      expect(tid).toBe(1)
    }
    expect(of('b').map(({ id }) => id)).toEqual(expect.arrayContaining(of('e').map(({ id }) => id)))
    expect(of('e')).toHaveLength(of('b').length)
    expect(of('C').at(-1)!.args).toEqual({ jobs: 20 })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
