/* oxlint-disable no-eval, no-new, typescript/unbound-method -- attacks do what nobody should */
import type * as FileSystem from 'node:fs'
import type { Socket as NetSocket } from 'node:net'
import type { Attack } from './attack.ts'

/**
 * Ways around the reduced modules, by what JavaScript hands out. Each ends in something that only unreduced modules can
 * do: reading a file or connecting a socket.
 */
export const escapeAttacks: Attack[] = [
  {
    name: 'main module’s require',
    attack: ({ secretFile }) => {
      const main = process.mainModule as unknown as { require(id: string): typeof FileSystem }
      return main.require('fs').readFileSync(secretFile, 'utf8')
    }
  },
  {
    name: 'Module._load',
    attack: ({ secretFile }) => {
      const module = process.getBuiltinModule('node:module') as unknown as {
        _load(id: string): typeof FileSystem
      }
      return module._load('fs').readFileSync(secretFile, 'utf8')
    }
  },
  {
    name: 'handles of the event loop',
    attack: async ({ socketPath }) => {
      const { _getActiveHandles } = process as unknown as { _getActiveHandles(): { constructor: unknown }[] }
      for (const handle of _getActiveHandles.call(process)) {
        const Socket = handle.constructor as new () => NetSocket
        const socket = new Socket()
        return new Promise((resolve, reject) => {
          socket.once('error', reject)
          socket.connect(socketPath, () => resolve('connected'))
        })
      }
      return ''
    }
  },
  {
    name: 'handles by async hooks',
    attack: async ({ socketPath }) => {
      const hooks = process.getBuiltinModule('node:async_hooks')
      let found: { constructor: unknown } | undefined
      const hook = hooks.createHook({
        init(_id, type, _trigger, resource) {
          if (type === 'PIPEWRAP' || type === 'TCPWRAP') found = resource
        }
      })
      hook.enable()
      new (process.getBuiltinModule('node:net').Socket)()
      hook.disable()
      const resource = found ?? hooks.executionAsyncResource()
      const Pipe = resource.constructor as new (type: number) => {
        connect(request: object, path: string): number
      }
      const code = new Pipe(0).connect({}, socketPath)
      return code === 0 ? 'connected' : ''
    }
  },
  {
    name: 'functions on the call stack',
    attack: ({ secretFile }) => {
      const before = Error.prepareStackTrace
      Error.prepareStackTrace = (_error, sites) => sites
      const sites = new Error('stack').stack as unknown as NodeJS.CallSite[]
      Error.prepareStackTrace = before
      for (const site of sites) {
        const receiver = site.getThis() as { require?: (id: string) => typeof FileSystem } | undefined
        if (typeof receiver?.require === 'function')
          return receiver.require('fs').readFileSync(secretFile, 'utf8')
      }
      return ''
    }
  },
  {
    name: 'the process object of a vm context',
    attack: ({ secretFile }) => {
      const vm = process.getBuiltinModule('node:vm')
      const outer = vm.runInNewContext('(o) => o.constructor.constructor("return process")()')(
        {}
      ) as NodeJS.Process
      return outer.getBuiltinModule('node:fs').readFileSync(secretFile, 'utf8')
    }
  },
  {
    name: 'a module of a data: address',
    attack: async ({ secretFile }) => {
      const source = `import fs from "node:fs"; export default fs.readFileSync(${JSON.stringify(secretFile)}, "utf8")`
      const load = (0, eval)('(name) => import(name)') as (name: string) => Promise<{ default: string }>
      return (await load(`data:text/javascript,${encodeURIComponent(source)}`)).default
    }
  },
  {
    name: 'process of the prototype chain',
    attack: ({ secretFile }) => {
      const original = Object.getPrototypeOf(process) as {
        binding?: unknown
        constructor: { prototype: object }
      }
      const names = [original, original.constructor.prototype].flatMap((object) =>
        Object.getOwnPropertyNames(object)
      )
      if (!names.includes('binding')) return ''
      return process.getBuiltinModule('node:fs').readFileSync(secretFile, 'utf8')
    }
  },
  {
    name: 'a ShadowRealm',
    attack: async ({ secretFile }) => {
      const Realm = (globalThis as unknown as { ShadowRealm: new () => { evaluate(text: string): string } })
        .ShadowRealm
      return new Realm().evaluate(
        `process.getBuiltinModule("fs").readFileSync(${JSON.stringify(secretFile)}, "utf8")`
      )
    }
  }
]
