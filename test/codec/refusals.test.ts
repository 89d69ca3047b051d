import { createHmac, generateKeyPairSync } from 'node:crypto'
import { createServer, Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { PrintError } from '../../src/codec/errors.ts'
import { Printer } from '../../src/codec/print/print.ts'

const settings = { socket: new Socket() }
const handler = () => settings.socket.bytesRead
const pending = sleep(1, undefined, { ref: false })
const deep: unknown[] = []
let level = deep
for (let depth = 0; depth < 2_000; depth++) level = level[0] = [] as unknown[]

class Secret {
  #value = 1
  reveal(): number {
    return this.#value
  }
}

class Server {
  readonly handle = createServer()
}

function makeArrow(this: unknown) {
  return () => this
}

const withSuper = {
  __proto__: { hello: () => 'parent' },
  hello() {
    return String(super.toString)
  }
}

/** A function whose text is what a tool made of it. */
const fromText = (name: string, body: string): ((value: unknown) => unknown) => {
  const make: unknown = Reflect.get(globalThis, 'Function')
  return (make as (...parts: string[]) => (value: unknown) => unknown)(name, body)
}

const rewritten = fromText('__vite_ssr_import_0__', 'return () => (0,__vite_ssr_import_0__.scale)(2)')({})
const counted = fromText(
  'cov_1a2b3c4d5e',
  'return () => { cov_1a2b3c4d5e().f[0]++; return 1 }'
)(() => ({ f: [0] }))

const cases: ReadonlyArray<readonly [name: string, value: unknown]> = [
  ['a socket, three steps away', () => handler()],
  ['a server in an instance', () => new Server().handle ?? serverOf],
  ['a stream', { input: new PassThrough() }],
  ['a promise', () => pending],
  [
    'a running generator',
    (function* () {
      yield 1
    })()
  ],
  ['a WeakMap', new Map([['cache', new WeakMap()]])],
  ['a WeakRef', [new WeakRef({})]],
  ['a Proxy', { proxy: new Proxy({}, {}) }],
  ['shared memory', new Uint8Array(new SharedArrayBuffer(8))],
  ['an HMAC under way', createHmac('sha256', 'key')],
  ['a key', generateKeyPairSync('ed25519').privateKey],
  ['an instance with private state', () => secret.reveal()],
  ['the this of an outer function', makeArrow.call({ a: 1 })],
  ['a method that uses super', Reflect.get(withSuper, 'hello')],
  ['a method that uses private members', Reflect.get(Secret.prototype, 'reveal')],
  [
    'a WebAssembly module',
    new (Reflect.get(Reflect.get(globalThis, 'WebAssembly'), 'Module'))(
      new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])
    )
  ],
  ['an abort signal', { signal: new AbortController().signal }],
  ['a timer', { timer: setTimeout(() => {}, 0).unref() }],
  ['a value too deep', deep],
  ['an iterator', new Map([[1, 2]]).entries()],
  ['text of Vite', rewritten],
  ['text of Istanbul', counted],
  ['a key of a map', new Map([[{ inner: Promise.resolve() }, 1]])],
  ['an item of a set', new Set([1, Promise.resolve()])]
]

const secret = new Secret()
const serverOf = new Server()

/** The words of every refusal, in one file so that they can be read one after another. */
describe('refusals', () => {
  test('say where the value is, why it cannot travel and what to do', async () => {
    const printer = new Printer()
    const words: string[] = []
    for (const [name, value] of cases) {
      const outcome = await Promise.resolve()
        .then(() => printer.print(value, 'job 3'))
        .then(
          () => 'was printed',
          (error: unknown) => error
        )
      expect(outcome, name).toBeInstanceOf(PrintError)
      const { message, kind, path, hint, code } = outcome as PrintError
      expect(message).toContain(path)
      expect(message).toContain(hint)
      expect(code).toBe('UNPRINTABLE')
      words.push(`${name} (${kind})\n  ${message}\n`)
    }
    const early = () => later
    await expect(printer.print(early, 'job 3')).rejects.toThrow(
      'job 3 -> later: it has no value yet; print the function after'
    )
    const later = 1
    await expect(words.join('\n')).toMatchFileSnapshot('./refusals.txt')
  })
})
