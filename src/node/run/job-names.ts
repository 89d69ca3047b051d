/**
 * What a job and its result are called beyond this process: so that another one, which printed the same job, knows that
 * the result is its own. Everything that depends on how printing works is in here and in the codec.
 */
import { mentionsOwnTag } from '../../codec/print/content-name.ts'
import type { Printed, Printer } from '../../codec/print/print.ts'
import { ownNumbers, renameReferences } from '../../codec/print/references.ts'
import type { PrintedTask, TaskGroup } from './task-printer.ts'
import type { TaskSource } from './task-source.ts'

export interface JobName {
  /** The setup and the function: shared by many jobs. */
  readonly head: string
  /** What they were given. */
  readonly tail: Uint8Array
}

type Head = NonNullable<TaskGroup['head']>

const NO_HEAD = {}

export class JobNames {
  readonly #printer: Printer
  readonly #source: TaskSource
  /** By function, then by code: making the same text again for each job would cost more than all the rest. */
  readonly #heads = new Map<object, Map<string, string>>()
  #setupKey: string | undefined
  #last: { readonly task: PrintedTask; readonly name: JobName } | undefined

  /** @param source where the jobs come from; opened before the first of them is named */
  constructor(printer: Printer, source: TaskSource) {
    this.#printer = printer
    this.#source = source
  }

  name(task: PrintedTask): JobName {
    // The journal and the cache ask for the same one after the other.
    if (this.#last?.task === task) return this.#last.name
    const name = this.#make(task)
    this.#last = { task, name }
    return name
  }

  #make(task: PrintedTask): JobName {
    const { code, rest } = this.#printer.contentName({ bytes: task.body, units: task.units })
    const { head = NO_HEAD } = task.group
    let byCode = this.#heads.get(head)
    if (byCode === undefined) this.#heads.set(head, (byCode = new Map()))
    let name = byCode.get(code)
    if (name === undefined) {
      name = `${this.#setup()}.${this.#keyOf(task.group.head)}.${code}`
      byCode.set(code, name)
    }
    return { head: name, tail: rest }
  }

  /** A result in a form that {@link toLive} understands elsewhere; undefined when it has something of this process only. */
  toStored(task: PrintedTask, body: Uint8Array): Uint8Array | undefined {
    if (!mentionsOwnTag(body, 0)) return body
    const numbers = this.#numbers(task)
    const units = new Set(this.#parts(task).flatMap((part) => part.units))
    return renameReferences(body, {
      number: (number) => (numbers.includes(number) ? numbers.indexOf(number) : undefined),
      unit: (hash) => (units.has(hash) ? this.#printer.codeKey(hash) : undefined)
    })
  }

  /** A result as the executor of this very task would have sent it; undefined when the task does not have its parts. */
  toLive(task: PrintedTask, body: Uint8Array): Uint8Array | undefined {
    if (!mentionsOwnTag(body, 0)) return body
    const numbers = this.#numbers(task)
    const units = this.#parts(task).flatMap((part) => part.units)
    return renameReferences(body, {
      number: (position) => numbers[position],
      unit: (key) => units.find((hash) => this.#printer.codeKey(hash) === key)
    })
  }

  /** Classes and symbols of the job, in an order that is the same wherever it is printed. */
  #numbers(task: PrintedTask): number[] {
    return [...new Set(this.#parts(task).flatMap((part) => ownNumbers(part.bytes)))]
  }

  #parts(task: PrintedTask): Printed[] {
    const { setup } = this.#source
    const { head } = task.group
    return [
      ...(setup === undefined ? [] : [setup]),
      ...(head === undefined ? [] : [this.#printed(head)]),
      { bytes: task.body, units: task.units }
    ]
  }

  #setup(): string {
    const { setup } = this.#source
    return (this.#setupKey ??= setup === undefined ? '' : this.#printer.contentKey(setup))
  }

  #keyOf(head: Head | undefined): string {
    return head === undefined ? '' : this.#printer.contentKey(this.#printed(head))
  }

  #printed({ hash, units }: Head): Printed {
    return { bytes: this.#source.blob(hash), units }
  }
}
