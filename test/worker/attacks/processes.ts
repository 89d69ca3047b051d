/* oxlint-disable typescript/unbound-method -- attacks do what nobody should */
import type { Attack } from './attack.ts'

/** Starting programs, loading native code, and reaching for other processes. */
export const processAttacks: Attack[] = [
  {
    name: 'execSync',
    attack: () => process.getBuiltinModule('node:child_process').execSync('id; true').toString()
  },
  {
    name: 'spawn of Node without limits',
    attack: () => {
      const { spawnSync } = process.getBuiltinModule('node:child_process')
      const { error, stdout } = spawnSync('/proc/self/exe', ['-p', '1+1'])
      if (error !== undefined) throw error
      return stdout.toString()
    }
  },
  {
    name: 'fork',
    attack: async () => {
      const child = process.getBuiltinModule('node:child_process').fork('/dev/null')
      return new Promise((resolve, reject) => {
        child.once('spawn', () => resolve(`pid ${child.pid}`))
        child.once('error', reject)
      })
    }
  },
  {
    name: 'cluster.fork',
    attack: async () => {
      const worker = process.getBuiltinModule('node:cluster').fork()
      return new Promise((resolve, reject) => {
        worker.once('online', () => resolve(`pid ${worker.process.pid}`))
        worker.once('exit', (code) => resolve(`ran and ended: ${code}`))
        worker.once('error', reject)
      })
    }
  },
  {
    name: 'spawn_sync binding',
    attack: () => {
      const binding = (
        process as unknown as { binding(name: string): { spawn(options: object): { pid: number } } }
      ).binding('spawn_sync')
      const stdio = [{ type: 'ignore' }, { type: 'ignore' }, { type: 'ignore' }]
      const { pid } = binding.spawn({ file: '/bin/sh', args: ['sh', '-c', 'true'], envPairs: [], stdio })
      return pid > 0 ? `pid ${pid}` : ''
    }
  },
  {
    name: 'fs binding',
    attack: ({ secretFile }) => {
      const binding = (
        process as unknown as { binding(name: string): Record<string, (...args: unknown[]) => unknown> }
      ).binding('fs')
      return `opened ${String(binding['open']?.(secretFile, 0, 0o666))}`
    }
  },
  {
    name: 'a linked binding',
    attack: () => {
      const linked = (process as unknown as { _linkedBinding(name: string): unknown })._linkedBinding('fs')
      return `got ${typeof linked}`
    }
  },
  {
    name: 'execve',
    attack: () => {
      const { execve } = process as unknown as { execve(file: string, args: string[], env: object): never }
      // It would answer in place of this process: what comes back then is no frame of ours.
      return execve.call(process, '/bin/sh', ['sh', '-c', 'echo \'"execve ran"\' >&1'], {})
    }
  },
  {
    name: 'dlopen of a shared library',
    attack: ({ library }) => {
      try {
        process.dlopen({ exports: {} }, library)
      } catch (error) {
        // Loaded, and then found not to be an addon: its constructors ran.
        if (!(error instanceof Error) || !error.message.includes('did not self-register')) throw error
      }
      return 'loaded'
    }
  },
  {
    name: 'ffi',
    attack: ({ library }) => {
      const ffi = (process.getBuiltinModule as (id: string) => unknown)('node:ffi') as
        | undefined
        | { dlopen(file: string, functions: object): { functions: { getpid(): number } } }
      if (ffi === undefined) return ''
      return `pid ${ffi.dlopen(library, { getpid: { arguments: [], return: 'i32' } }).functions.getpid()}`
    }
  },
  {
    name: 'sqlite loads an extension',
    attack: ({ library }) => {
      const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
      const database = new DatabaseSync(':memory:', { allowExtension: true })
      try {
        database.loadExtension(library)
      } catch (error) {
        if (!(error instanceof Error) || !error.message.includes('sqlite3_')) throw error
      }
      return 'loaded'
    }
  },
  {
    name: 'a thread with a fresh realm',
    attack: async () => {
      const { Worker } = process.getBuiltinModule('node:worker_threads')
      const worker = new Worker('require("worker_threads").parentPort.postMessage("ran")', { eval: true })
      return new Promise((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
    }
  },
  {
    name: 'inspector.open',
    attack: () => {
      const inspector = process.getBuiltinModule('node:inspector')
      inspector.open(0)
      return inspector.url() ?? ''
    }
  },
  {
    name: 'an inspector session on itself',
    attack: () => {
      const { Session } = process.getBuiltinModule('node:inspector')
      const session = new Session()
      session.connect()
      return 'connected'
    }
  },
  {
    name: 'a signal to the parent',
    attack: ({ parentPid }) => (process.kill(parentPid, 'SIGWINCH') ? 'sent' : '')
  },
  {
    name: 'a signal to every process',
    attack: ({ parentPid }) => {
      // Signal 0 hurts nobody; in a process namespace of its own there is nobody to reach either.
      process.kill(parentPid, 0)
      return process.kill(-1, 0) ? 'would have reached others' : ''
    }
  },
  {
    name: 'the inspector of the parent by signal',
    attack: ({ parentPid }) => {
      ;(process as unknown as { _debugProcess(pid: number): void })._debugProcess(parentPid)
      return 'sent'
    }
  },
  {
    name: 'the priority of the parent',
    attack: ({ parentPid }) => {
      const os = process.getBuiltinModule('node:os')
      os.setPriority(parentPid, os.getPriority(parentPid))
      return 'set'
    }
  },
  {
    name: 'user and group of this process',
    attack: () => {
      process.setgroups?.([0])
      process.setuid?.(0)
      return process.getuid?.() === 0 && process.getBuiltinModule('node:fs').readFileSync('/etc/shadow')
        ? 'root'
        : ''
    }
  },
  {
    name: 'the name of the machine’s user',
    attack: () =>
      process
        .getBuiltinModule('node:os')
        .userInfo()
        .homedir.replace(/^\/(nonexistent|root)?$/, '')
  }
]
