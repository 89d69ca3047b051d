/** A submitter that hands a run over, when the holder, the input or the user does not go on as it should. */
import { afterEach, expect, test, vi } from 'vitest'
import { HeldClient } from '../../src/node/held/held-client.ts'
import { detachRun } from '../../src/node/held/held-detach.ts'
import { HandOverLost } from '../../src/node/held/held-sender.ts'
import type { Link } from '../../src/node/link.ts'
import type { TaskSource } from '../../src/node/run/task-source.ts'
import type { Message } from '../../src/protocol/messages.ts'

const ID = 'ab'.repeat(16)

/** A holder that answers as it is told to; what it was sent stays here. */
class FakeHolder implements Link {
  readonly peer = '12D3KooWBKccW8NbLJDW2M4rEnPMTQUd9wSCyjFV4mdFG5ASFKRa'
  readonly name = 'attic'
  readonly queuedBytes = 0
  readonly sent: Message['type'][] = []
  answer: (message: Message) => Message | undefined = () => undefined
  readonly #client: HeldClient

  constructor(client: HeldClient) {
    this.#client = client
    client.addHolder({ link: this, slots: 1, isSameHost: () => true })
  }

  send(message: Message): void {
    this.sent.push(message.type)
    queueMicrotask(() => {
      const answer = this.answer(message)
      if (answer !== undefined) this.#client.onMessage(this, answer)
    })
  }

  leave(): void {
    this.#client.removeHolder(this)
  }

  async drained(): Promise<void> {}
}

const held = ({ run }: { run: number }, state: 'open' | 'stored'): Message => ({
  type: 'held',
  run,
  state,
  reason: ''
})

const found = (request: number): Message => ({
  type: 'found-runs',
  request,
  runs: [
    {
      id: ID,
      label: '',
      from: '',
      state: 'running',
      jobs: 7,
      succeeded: 0,
      failed: 0,
      ageSeconds: 0,
      reason: ''
    }
  ]
})

/** No jobs at all, unless `read` says otherwise. */
function source(
  read: TaskSource['read'] = async () => true,
  close = async (): Promise<void> => undefined
): TaskSource {
  return {
    id: ID,
    setup: undefined,
    total: undefined,
    open: async () => undefined,
    read,
    blob: () => new Uint8Array(0),
    close
  }
}

function start(): { client: HeldClient; holder: FakeHolder } {
  let number = 0
  const client = new HeldClient(() => ++number)
  return { client, holder: new FakeHolder(client) }
}

const options = { label: 'jobs.ts', waitMs: 1_000 }

afterEach(() => void vi.useRealTimers())

test.each(['the user', 'the loss of the holder'])(
  'an input that hangs is left at once: by %s',
  async (who) => {
    const { client, holder } = start()
    holder.answer = (message) => (message.type === 'hold' ? held(message, 'open') : undefined)
    const reading = Promise.withResolvers<void>()
    // As an async generator that waits for something: it is closed when that has come.
    const never = (): Promise<never> => {
      reading.resolve()
      return new Promise(() => undefined)
    }
    const hanging = source(never, never)
    const abort = new AbortController()
    const detached = detachRun(client, hanging, { ...options, signal: abort.signal })
    await reading.promise
    if (who === 'the user') {
      abort.abort(new RangeError('enough'))
      await expect(detached).rejects.toThrow('enough')
      expect(holder.sent).toEqual(['hold', 'run-close'])
    } else {
      holder.leave()
      await expect(detached).rejects.toThrow(HandOverLost)
    }
  }
)

test('a long input lets everything else have its turn, even where nothing holds it back', async () => {
  const { client, holder } = start()
  holder.answer = (message) => {
    if (message.type === 'hold') return held(message, 'open')
    return message.type === 'hold-end' ? held(message, 'stored') : undefined
  }
  let [reads, turns] = [0, 0]
  const count = (): void => {
    turns++
    again = setImmediate(count)
  }
  let again = setImmediate(count)
  await detachRun(
    client,
    source(async () => ++reads === 50),
    options
  )
  clearImmediate(again)
  expect(turns).toBeGreaterThanOrEqual(49)
})

test('the holder is lost when it had been sent everything: whether it has the run is asked, not guessed', async () => {
  const { client, holder } = start()
  const second = (): FakeHolder => {
    const back = new FakeHolder(client)
    back.answer = (message) => (message.type === 'find-runs' ? found(message.request) : undefined)
    return back
  }
  holder.answer = (message) => {
    if (message.type === 'hold') return held(message, 'open')
    if (message.type === 'hold-end') {
      holder.leave()
      second()
    }
    return undefined
  }
  const run = await detachRun(client, source(), options)
  expect(run).toEqual({ id: ID, holder: 'attic', jobs: 7 })
})

test('the same, and it does not come back: the error says how to find out', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { client, holder } = start()
  const left = Promise.withResolvers<void>()
  holder.answer = (message) => {
    if (message.type === 'hold') return held(message, 'open')
    if (message.type !== 'hold-end') return undefined
    holder.leave()
    left.resolve()
    return undefined
  }
  const detached = detachRun(client, source(), options)
  const refused = expect(detached).rejects.toThrow(`dist-node attach ${ID} tells whether it has it`)
  await left.promise
  await vi.advanceTimersByTimeAsync(10_000)
  await refused
  await expect(detached).rejects.not.toThrow(HandOverLost)
})
