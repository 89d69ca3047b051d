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
  readonly cat?: string
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly id?: number
  readonly bind_id?: string
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
      expect.arrayContaining(['test from submitter', 'node-1', 'node-2'])
    )
    const jobs = of('X').filter(({ cat }) => cat === 'job')
    expect(jobs.map(({ args }) => args!['job']).toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 20 }, (_, n) => n)
    )
    expect(jobs.filter(({ name }) => name.endsWith('failed')).map(({ name }) => name)).toEqual([
      'job 7 failed'
    ])
    const slots = new Set(
      of('M')
        .filter(({ args }) => args!['name'] === 'slot 1')
        .map(({ tid }) => tid)
    )
    for (const { dur, ts, tid } of jobs) {
      expect(dur).toBeGreaterThanOrEqual(0)
      expect(ts).toBeGreaterThanOrEqual(0)
      expect(slots).toContain(tid)
    }
    expect(of('b').map(({ id }) => id)).toEqual(expect.arrayContaining(of('e').map(({ id }) => id)))
    expect(of('e')).toHaveLength(of('b').length)
    expect(of('C').at(-1)!.args).toEqual({ done: 19, failed: 1 })

    // What viewers stumble over: one number for two threads, slices that overlap, arrows from nowhere or back in time.
    const numbers = of('M')
      .filter(({ name }) => name.endsWith('_name'))
      .map(({ tid }) => tid)
    expect(new Set(numbers).size).toBe(numbers.length)
    for (const thread of slots) {
      const slices = jobs.filter(({ tid }) => tid === thread).toSorted((a, b) => a.ts! - b.ts!)
      for (const [at, { ts }] of slices.entries()) {
        const before = slices[at - 1]
        if (before !== undefined) expect(before.ts! + before.dur!).toBeLessThanOrEqual(ts!)
      }
    }
    const sent = new Map(
      of('X')
        .filter(({ cat }) => cat === 'sent')
        .map(({ bind_id, ts }) => [bind_id, ts!])
    )
    for (const { bind_id, ts } of jobs) expect(sent.get(bind_id)).toBeLessThanOrEqual(ts!)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
