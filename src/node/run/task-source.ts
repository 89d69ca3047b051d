import type { Printed } from '../../codec/print/print.ts'
import type { PrintedTask } from './task-printer.ts'

/** Who takes them. */
export interface TaskSink {
  /** False as soon as the run is over. */
  readonly isOpen: boolean
  add(tasks: PrintedTask[]): void
}

/** Where the tasks of one run come from: from jobs that are printed as the mesh has room for them, or from a store. */
export interface TaskSource {
  /** The run's own name, the same on every peer: 16 bytes in hexadecimal. */
  readonly id: string
  /** The printed function that each worker process calls before its first job. Known after {@link open}. */
  readonly setup: Printed | undefined
  /** Number of all tasks, where it is known beforehand. */
  readonly total: number | undefined
  /** Before the first {@link read}. */
  open(): Promise<void>
  /**
   * Takes up to `count` tasks, and hands them on in chunks: none that is ready waits for one that is not.
   *
   * @returns true at the end of the input
   */
  read(count: number, sink: TaskSink): Promise<boolean>
  /** A unit or head that tasks need, by its hash. */
  blob(hash: string): Uint8Array
  /** Nothing more will be read. */
  close(): Promise<void>
}
