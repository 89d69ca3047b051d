/* oxlint-disable no-eval -- attacks do what nobody should */
import type { Attack } from './attack.ts'

/** Reading and writing what belongs to the machine's user. */
export const fileAttacks: Attack[] = [
  {
    name: 'fs.readFileSync of a secret file',
    attack: ({ secretFile }) => process.getBuiltinModule('node:fs').readFileSync(secretFile, 'utf8')
  },
  {
    name: 'fs/promises of a secret file',
    attack: ({ secretFile }) => process.getBuiltinModule('node:fs/promises').readFile(secretFile, 'utf8')
  },
  {
    name: 'import of node:fs',
    attack: async ({ secretFile }) => {
      const fs = await (0, eval)('import("node:fs")')
      return fs.readFileSync(secretFile, 'utf8')
    }
  },
  {
    name: 'read stream of a secret file',
    attack: async ({ secretFile }) => {
      let text = ''
      for await (const chunk of process.getBuiltinModule('node:fs').createReadStream(secretFile))
        text += chunk
      return text
    }
  },
  {
    name: 'secret file as a Blob',
    attack: async ({ secretFile }) =>
      (await process.getBuiltinModule('node:fs').openAsBlob(secretFile)).text()
  },
  {
    name: 'import of a secret file',
    attack: async ({ secretFile }) => {
      const imported = await (0, eval)('(name) => import(name, { with: { type: "json" } })')(
        `file://${secretFile}`
      )
      return imported.default
    }
  },
  {
    name: 'require of a secret file',
    attack: ({ secretFile }) => {
      const { createRequire } = process.getBuiltinModule('node:module')
      return createRequire('/')(secretFile)
    }
  },
  {
    name: 'environment of this process',
    attack: ({ secret }) => (JSON.stringify(process.env).includes(secret) ? 'secret found' : '')
  },
  {
    name: '/proc/self/environ',
    attack: ({ secret }) => {
      const text = process.getBuiltinModule('node:fs').readFileSync('/proc/self/environ', 'latin1')
      return text.includes(secret) ? 'secret found' : ''
    }
  },
  {
    name: '/proc/PARENT/environ',
    attack: ({ parentPid }) =>
      process.getBuiltinModule('node:fs').readFileSync(`/proc/${parentPid}/environ`, 'latin1')
  },
  {
    name: '/proc/PARENT/mem',
    attack: ({ parentPid }) => {
      const fs = process.getBuiltinModule('node:fs')
      return `opened as ${fs.openSync(`/proc/${parentPid}/mem`, 'r')}`
    }
  },
  {
    name: '/proc/PARENT/cmdline through the permission model',
    attack: ({ parentPid }) =>
      process.getBuiltinModule('node:fs').readFileSync(`/proc/${parentPid}/cmdline`, 'utf8')
  },
  {
    name: 'listing /etc',
    attack: () => process.getBuiltinModule('node:fs').readdirSync('/etc').join(' ')
  },
  {
    name: 'inherited descriptors',
    attack: () => {
      const fs = process.getBuiltinModule('node:fs')
      const found: string[] = []
      for (let fd = 3; fd < 64; fd++) {
        try {
          const status = fs.fstatSync(fd)
          if (status.isFile() || status.isSocket()) found.push(`${fd}`)
        } catch {
          // closed
        }
      }
      return found.join(' ')
    }
  },
  {
    name: 'writing a file',
    attack: ({ writableFolder }) => {
      process.getBuiltinModule('node:fs').writeFileSync(`${writableFolder}/written-by-a-job`, 'x')
      return 'written'
    }
  },
  {
    name: 'a symbolic link and reading through it',
    attack: ({ secretFile, writableFolder }) => {
      const fs = process.getBuiltinModule('node:fs')
      const link = `${writableFolder}/link-${process.pid}`
      fs.symlinkSync(secretFile, link)
      return fs.readFileSync(link, 'utf8')
    }
  },
  {
    name: 'a diagnostic report file',
    attack: ({ writableFolder }) => {
      const name = process.report.writeReport(`${writableFolder}/report-${process.pid}.json`)
      return `written ${name}`
    }
  },
  {
    name: 'a heap snapshot file',
    attack: ({ writableFolder }) =>
      process
        .getBuiltinModule('node:v8')
        .writeHeapSnapshot(`${writableFolder}/heap-${process.pid}.heapsnapshot`)
  },
  {
    name: 'sqlite reads a database of the user',
    attack: ({ databaseFile }) => {
      const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
      return String(
        new DatabaseSync(databaseFile).prepare('select value from cookies').get()?.['value'] ?? ''
      )
    }
  },
  {
    name: 'sqlite writes a new file',
    attack: ({ writableFolder }) => {
      const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
      new DatabaseSync(`${writableFolder}/made-${process.pid}.db`).exec('create table t(a)')
      return 'written'
    }
  },
  {
    name: 'sqlite changes a database of the user',
    attack: ({ databaseFile }) => {
      const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
      const database = new DatabaseSync(databaseFile)
      return `changed ${database.prepare("update cookies set value = 'changed ' || value").run().changes}`
    }
  },
  {
    name: 'sqlite attaches a database of the user',
    attack: ({ databaseFile }) => {
      const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
      const database = new DatabaseSync(':memory:')
      database.exec(`attach '${databaseFile}' as stolen`)
      return String(database.prepare('select value from stolen.cookies').get()?.['value'] ?? '')
    }
  },
  {
    name: 'WASI with the whole disk',
    attack: () => {
      const { WASI } = process.getBuiltinModule('node:wasi')
      return `made ${typeof new WASI({ version: 'preview1', preopens: { '/': '/' } }).wasiImport}`
    }
  }
]
