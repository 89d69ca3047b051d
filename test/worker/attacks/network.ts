import type { Attack } from './attack.ts'

/** Sockets of every kind. */
export const networkAttacks: Attack[] = [
  {
    name: 'TCP to a service on localhost',
    attack: async ({ httpPort }) => {
      const socket = process.getBuiltinModule('node:net').connect(httpPort, '127.0.0.1')
      return new Promise((resolve, reject) => {
        socket.once('connect', () => resolve('connected'))
        socket.once('error', reject)
      })
    }
  },
  {
    name: 'listening on a TCP port',
    attack: async () => {
      const server = process.getBuiltinModule('node:net').createServer()
      return new Promise((resolve, reject) => {
        server.listen(0, '127.0.0.1', () => resolve(`port ${JSON.stringify(server.address())}`))
        server.once('error', reject)
      })
    }
  },
  {
    name: 'UDP to a service on localhost',
    attack: async ({ udpPort }) => {
      const socket = process.getBuiltinModule('node:dgram').createSocket('udp4')
      return new Promise((resolve, reject) => {
        socket.once('error', reject)
        socket.once('message', (text) => resolve(text.toString()))
        socket.send('ping', udpPort, '127.0.0.1', (error) => {
          if (error !== null) reject(error)
        })
        setTimeout(() => reject(new Error('no answer')), 300)
      })
    }
  },
  {
    name: 'binding a UDP port',
    attack: async () => {
      const socket = process.getBuiltinModule('node:dgram').createSocket('udp4')
      return new Promise((resolve, reject) => {
        socket.once('error', reject)
        socket.bind(0, () => resolve(`port ${socket.address().port}`))
      })
    }
  },
  {
    name: 'looking up a name',
    attack: async () => (await process.getBuiltinModule('node:dns/promises').lookup('localhost')).address
  },
  {
    name: 'asking a DNS server',
    attack: async ({ udpPort }) => {
      const dns = process.getBuiltinModule('node:dns')
      const resolver = new dns.Resolver({ timeout: 200, tries: 1 })
      resolver.setServers([`127.0.0.1:${udpPort}`])
      return new Promise((resolve, reject) => {
        resolver.resolve4('example.org', (error, addresses) => {
          // The parent's UDP service answers nonsense: that an answer came is what counts.
          if (error === null || error.code === 'EBADRESP' || error.code === 'EFORMERR')
            resolve(`answered ${String(addresses)}`)
          else reject(error)
        })
      })
    }
  },
  {
    name: 'a unix socket of the parent',
    attack: async ({ socketPath }) => {
      const socket = process.getBuiltinModule('node:net').connect(socketPath)
      return new Promise((resolve, reject) => {
        socket.once('connect', () => resolve('connected'))
        socket.once('error', reject)
      })
    }
  },
  {
    name: 'an abstract unix socket of the parent',
    attack: async ({ abstractName }) => {
      const socket = process.getBuiltinModule('node:net').connect(`\0${abstractName}`)
      return new Promise((resolve, reject) => {
        socket.once('connect', () => resolve('connected'))
        socket.once('error', reject)
      })
    }
  },
  {
    name: 'listening on a unix socket',
    attack: async ({ writableFolder }) => {
      const server = process.getBuiltinModule('node:net').createServer()
      return new Promise((resolve, reject) => {
        server.listen(`${writableFolder}/socket-${process.pid}`, () => resolve('listening'))
        server.once('error', reject)
      })
    }
  },
  {
    name: 'fetch',
    attack: async ({ httpPort }) => (await fetch(`http://127.0.0.1:${httpPort}/`)).text()
  },
  {
    name: 'http.get',
    attack: async ({ httpPort }) =>
      new Promise((resolve, reject) => {
        process
          .getBuiltinModule('node:http')
          .get(`http://127.0.0.1:${httpPort}/`, (response) => resolve(`status ${response.statusCode}`))
          .once('error', reject)
      })
  },
  {
    name: 'http2.connect',
    attack: async ({ httpPort }) => {
      const session = process.getBuiltinModule('node:http2').connect(`http://127.0.0.1:${httpPort}`)
      return new Promise((resolve, reject) => {
        session.once('connect', () => resolve('connected'))
        session.once('error', reject)
      })
    }
  },
  {
    name: 'WebSocket',
    attack: async ({ httpPort }) => {
      const socket = new WebSocket(`ws://127.0.0.1:${httpPort}/`)
      return new Promise((resolve, reject) => {
        socket.addEventListener('open', () => resolve('open'))
        socket.addEventListener('error', () => reject(new Error('refused')))
      })
    }
  },
  {
    name: 'addresses of this machine',
    attack: () => {
      const all = Object.values(process.getBuiltinModule('node:os').networkInterfaces()).flat()
      return all
        .filter((one) => one?.internal === false)
        .map((one) => one?.address)
        .join(' ')
    }
  }
]
