import { SegmentBytes, SegmentReader } from './bytes.ts'

/** A job as it was printed, for a run that must go on without the process that printed it. */
export interface StoredTask {
  readonly index: number
  /** Hash of the head, the function that many jobs call; none for a closure. */
  readonly head?: string
  /** Hashes of the units that head and job need. */
  readonly units: readonly string[]
  readonly timeoutMs: number
  readonly retries: number
  readonly idempotent: boolean
  readonly body: Uint8Array
}

export function writeTasks(tasks: readonly StoredTask[]): Uint8Array {
  const bytes = new SegmentBytes()
  for (const task of tasks) {
    bytes.number(task.index)
    bytes.text(task.head ?? '')
    // Where those of the head once were.
    bytes.text('')
    bytes.text(task.units.join(' '))
    bytes.number(task.timeoutMs)
    bytes.number(task.retries)
    bytes.number(task.idempotent ? 1 : 0)
    bytes.bytes(task.body)
  }
  return bytes.take()
}

/** @throws {JournalError} `JOURNAL_DAMAGED` when it is not a segment */
export function readTasks(segment: Uint8Array): StoredTask[] {
  const reader = new SegmentReader(segment)
  const tasks: StoredTask[] = []
  while (!reader.isAtEnd) {
    const index = reader.number()
    const head = reader.text()
    const units = [...words(reader.text()), ...words(reader.text())]
    const options = {
      timeoutMs: reader.number(),
      retries: reader.number(),
      idempotent: reader.number() === 1
    }
    tasks.push({
      index,
      ...(head === '' ? {} : { head }),
      units,
      ...options,
      body: reader.bytes()
    })
  }
  return tasks
}

function words(text: string): readonly string[] {
  return text === '' ? [] : text.split(' ')
}
