import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Host } from '../../scripts/lan/host.ts'
import type { HostProcess } from '../../scripts/lan/host-process.ts'
import { Lab } from '../../scripts/lan/lab.ts'
import { missingFeatures, missingRights } from '../../scripts/lan/rights.ts'

const PROBE = new URL('probe.ts', import.meta.url).pathname
const LAB_MODULE = new URL('../../scripts/lan/lab.ts', import.meta.url).pathname

const missing = missingRights()
if (missing !== undefined) console.warn(`LAN tests are skipped: ${missing}`)

/** What has to happen, but may take its time on a busy computer. */
const soon = <T>(attempt: () => Promise<T>) => expect.poll(attempt, { timeout: 5000, interval: 10 })

describe.skipIf(missing)('one laboratory', () => {
  let lab: Lab
  let [a, b, c] = [] as unknown as [Host, Host, Host]
  const probes = new Map<Host, HostProcess>()

  beforeAll(async () => {
    lab = await Lab.create({ hosts: 3 })
    ;[a, b, c] = [lab.host(0), lab.host(1), lab.host(2)]
    await Promise.all(
      lab.hosts.map(async (host) => {
        const probe = await host.spawn('node', [PROBE])
        await probe.waitForLine('ready')
        probes.set(host, probe)
      })
    )
  })
  afterEach(async () => await lab.heal())
  afterAll(async () => await lab[Symbol.asyncDispose]())

  /** Asks a host's probe and returns the line it answers with. */
  async function ask(host: Host, question: string, answer: RegExp): Promise<string> {
    const probe = probes.get(host)!
    const from = probe.stdout.length
    probe.stdin.write(`${question}\n`)
    return await probe.waitForLine(answer, { from, timeoutMs: 12_000 })
  }
  const reach = async (from: Host, to: string): Promise<boolean> =>
    (await ask(from, `reach ${to}`, /^(reached|failed)/)).startsWith('reached')
  const measure = async (from: Host, to: string, bytes: number): Promise<number> =>
    Number(/ in (\S+) ms/.exec(await ask(from, `fetch ${to} ${bytes}`, /^(reached|failed)/))?.[1])

  /** True when `to` hears what `from` shouts; a host that must hear it as well tells when it was sent. */
  async function hears(from: Host, to: Host, witness?: Host): Promise<boolean> {
    const text = `word${Math.random()}`
    const starts = lab.hosts.map((host) => probes.get(host)!.stdout.length)
    probes.get(from)!.stdin.write(`shout ${text}\n`)
    const line = (host: Host, timeoutMs: number): Promise<boolean> =>
      probes
        .get(host)!
        .waitForLine(`heard ${text}`, { from: starts[lab.hosts.indexOf(host)]!, timeoutMs })
        .then(
          () => true,
          () => false
        )
    if (witness !== undefined) expect(await line(witness, 2000)).toBe(true)
    return await line(to, witness === undefined ? 300 : 50)
  }

  test('hosts have names, addresses and folders of their own', async () => {
    const names = await Promise.all(lab.hosts.map((host) => host.run('hostname')))
    expect(names.map(({ stdout }) => stdout)).toEqual(['h1\n', 'h2\n', 'h3\n'])
    const states = await Promise.all(
      lab.hosts.map((host) => host.run('sh', ['-c', 'echo $DIST_NODE_DIR $XDG_RUNTIME_DIR $HOME']))
    )
    expect(new Set(states.flatMap(({ stdout }) => stdout.trim().split(' '))).size).toBe(9)
    const inHost = await a.run('node', [
      '-p',
      'JSON.stringify(Object.values(os.networkInterfaces()).flat().map((i) => i.address))'
    ])
    expect(JSON.parse(inHost.stdout)).toContain(a.address)
    expect(JSON.stringify(networkInterfaces())).not.toContain(a.address)
  })

  test('hosts reach one another; a pulled cable stops that and a healed one does not', async () => {
    await soon(() => reach(a, b.address)).toBe(true)
    await soon(() => hears(a, b)).toBe(true)
    await b.cut()
    expect(await reach(a, b.address)).toBe(false)
    await soon(() => reach(a, c.address)).toBe(true)
    const cards = await b.run('node', ['-p', 'Object.keys(os.networkInterfaces()).join()'])
    expect(cards.stdout).toBe('lo\n')
    await b.heal()
    await soon(() => reach(a, b.address)).toBe(true)
  })

  test('multicast can be blocked for one host, both ways', async () => {
    await b.link({ multicast: false })
    expect(await hears(a, b, c)).toBe(false)
    expect(await hears(b, a)).toBe(false)
    await soon(() => reach(a, b.address)).toBe(true)
    await b.heal()
    await soon(() => hears(a, b)).toBe(true)
  })

  test('a host that cannot be dialled can dial', async () => {
    await b.link({ inbound: false })
    expect(await reach(a, b.address)).toBe(false)
    await soon(() => reach(b, a.address)).toBe(true)
    await soon(() => hears(a, b)).toBe(true)
  })

  test('a partition separates groups; hosts in none stay together', async () => {
    await lab.partition([a])
    expect(await reach(a, b.address)).toBe(false)
    await soon(() => reach(b, c.address)).toBe(true)
    await lab.heal()
    await soon(() => reach(a, b.address)).toBe(true)
  })

  test('two severed hosts both reach a third', async () => {
    await lab.sever(a, b)
    expect(await reach(a, b.address)).toBe(false)
    expect(await reach(b, a.address)).toBe(false)
    expect(await hears(a, b, c)).toBe(false)
    await soon(() => reach(a, c.address)).toBe(true)
    await soon(() => reach(c, b.address)).toBe(true)
  })

  test('a lossy cable loses some packets and TCP still gets through', async () => {
    await b.link({ lossRatio: 0.5 })
    const heard = await Promise.all(Array.from({ length: 40 }, () => hears(a, b)))
    const count = heard.filter(Boolean).length
    expect(count).toBeGreaterThan(0)
    expect(count).toBeLessThan(40)
    await b.link({ lossRatio: 1 })
    expect(await reach(a, b.address)).toBe(false)
    await b.link({ lossRatio: 0.02 })
    expect(await measure(a, b.address, 20_000)).toBeGreaterThan(0)
  })

  test.skipIf(missingFeatures().delay)('a slow cable delays every packet, both ways', async () => {
    await b.link({ delayMs: 40 })
    // To connect takes one round trip, to ask another.
    expect(await measure(a, b.address, 1)).toBeGreaterThanOrEqual(160)
    expect(await measure(a, b.address, 300_000)).toBeGreaterThanOrEqual(160)
    await soon(() => measure(a, c.address, 1)).toBeLessThan(160)
    await b.heal()
    await soon(() => measure(a, b.address, 1)).toBeLessThan(160)
  })

  test.skipIf(missingFeatures().rate)('a narrow cable takes time for large answers', async () => {
    await b.link({ rateKbit: 4000 })
    // 200 kB are 1600 kbit; the first 32 kB pass at once.
    expect(await measure(a, b.address, 200_000)).toBeGreaterThan(250)
    await b.heal()
    await soon(() => measure(a, b.address, 200_000)).toBeLessThan(250)
  })

  test('a host gets a new address, and an interface that leads nowhere', async () => {
    const old = b.address
    await b.changeAddress(lab.freshAddress())
    expect(b.address).not.toBe(old)
    expect(await reach(a, old)).toBe(false)
    await soon(() => reach(a, b.address)).toBe(true)
    await soon(() => hears(b, a)).toBe(true)
    await b.addInterface('docker0', '172.17.0.1')
    expect(await reach(a, '172.17.0.1')).toBe(false)
    await soon(() => reach(b, '172.17.0.1')).toBe(true)
  })

  test('a host sleeps and wakes; its processes are killed', async () => {
    await b.freeze()
    expect(await reach(a, b.address)).toBe(false)
    await b.thaw()
    await soon(() => reach(a, b.address)).toBe(true)
    const sleeper = await b.spawn('sleep', ['100'])
    sleeper.signal('SIGSTOP')
    expect(await sleeper.kill()).toEqual({ code: null, signal: 'SIGKILL' })
    await b.killAll()
    expect((await probes.get(b)!.exited).signal).toBe('SIGKILL')
    expect(await reach(a, b.address)).toBe(false)
  })
})

/** Processes of this computer whose command line has this in it. */
async function processesWith(text: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,args'])
  return stdout.split('\n').filter((line) => line.includes(text))
}

describe.skipIf(missing)('the end of a laboratory', () => {
  test('nothing is left after it is disposed of', async () => {
    const marker = `9${process.pid}1`
    let folder = ''
    {
      await using lab = await Lab.create({ hosts: ['left', 'right'] })
      folder = lab.folder
      // A process that detaches itself from the one that started it.
      await lab.host('left').run('sh', ['-c', `setsid sleep ${marker} < /dev/null > /dev/null 2>&1 &`])
      const frozen = await lab.host('right').spawn('sleep', [marker])
      frozen.signal('SIGSTOP')
      expect(await processesWith(`sleep ${marker}`)).not.toEqual([])
    }
    expect(await processesWith(`sleep ${marker}`)).toEqual([])
    expect(existsSync(folder)).toBe(false)
    expect((await promisify(execFile)('ip', ['link'])).stdout).not.toMatch(/lan0|port1/)
  })

  test('nothing runs on after its process is killed, and the next one sweeps its folder', async () => {
    const marker = `9${process.pid}2`
    const program = `
      import { Lab } from ${JSON.stringify(LAB_MODULE)}
      const lab = await Lab.create({ hosts: 2 })
      await lab.host(0).spawn('sleep', ['${marker}'])
      await lab.host(1).freeze()
      console.log(lab.folder)`
    const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const [folder] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string]
    expect(await processesWith(`sleep ${marker}`)).not.toEqual([])
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    for (let tries = 0; tries < 100 && (await processesWith(`sleep ${marker}`)).length > 0; tries++)
      await delay(20)
    expect(await processesWith(`sleep ${marker}`)).toEqual([])
    expect(existsSync(folder)).toBe(true)
    await using _next = await Lab.create({ hosts: 0 })
    expect(existsSync(folder)).toBe(false)
  })

  test('two laboratories at once do not meet', async () => {
    await using one = await Lab.create({ hosts: 1 })
    await using other = await Lab.create({ hosts: 1 })
    expect(one.host(0).address).toBe(other.host(0).address)
    expect(one.folder).not.toBe(other.folder)
  })
})
