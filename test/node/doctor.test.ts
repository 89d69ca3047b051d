import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findFolders, findNode, findPasswordState } from '../../src/node/doctor/doctor-machine.ts'
import {
  describeAllUnreachable,
  describeMulticast,
  describeRefusal,
  explainDialFailure
} from '../../src/node/doctor/doctor-mesh.ts'
import { describeInterface, question } from '../../src/node/doctor/doctor-interfaces.ts'
import { describeFirewall } from '../../src/node/doctor/doctor-network.ts'

test.each([
  { version: '22.1.0', status: 'problem', says: /too old/ },
  { version: '24.4.0', status: 'ok', says: /does not cover the network/ },
  { version: '26.0.0', status: 'ok', says: /^26\.0\.0 \(\/bin\/node\)$/ }
])('Node.js $version: $status', ({ version, status, says }) => {
  const finding = findNode(version, '/bin/node')
  expect(finding.status).toBe(status)
  expect(finding.message).toMatch(says)
})

describe('the password', () => {
  test.each([
    { text: 'a long enough secret', mode: 0o600, status: 'ok', says: /yours alone/ },
    { text: 'a long enough secret', mode: 0o644, status: 'problem', says: /can be read by others/ },
    { text: 'password1234', mode: 0o600, status: 'problem', says: /easy to guess/ },
    { text: undefined, mode: 0o600, status: 'problem', says: /cannot be read: ENOENT/ }
  ])('$text, mode $mode: $status', async ({ text, mode, status, says }) => {
    const folder = mkdtempSync(join(tmpdir(), 'dist-node-doctor-'))
    try {
      const file = join(folder, 'password')
      if (text !== undefined) writeFileSync(file, text, { mode })
      const { finding, password } = await findPasswordState({ file })
      expect(finding.status).toBe(status)
      expect(finding.message).toMatch(says)
      expect(JSON.stringify(finding)).not.toContain(text ?? 'never')
      expect(password).toBe(status === 'ok' ? text : undefined)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

test('a state folder that cannot be one is a problem with its reason', async () => {
  const [state] = await findFolders('/dev/null/state')
  expect(state).toMatchObject({ check: 'state folder', status: 'problem' })
  expect(state!.message).toMatch(/\/dev\/null\/state cannot be written: ENOTDIR/)
  expect(state!.advice).toMatch(/--dir/)
})

const CLOSED = `table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state { established, related } accept
	}
}`
const BOTH = CLOSED.replace('drop', 'accept').replace(
  'accept\n\t}',
  'accept\n\t\ttcp dport 1-9999 reject\n\t}'
)

test.each([
  { signs: {}, status: 'ok', says: /could not be read/ },
  { signs: { nft: '' }, status: 'ok', says: /none that keeps anything out/ },
  { signs: { nft: CLOSED }, status: 'warning', says: /nftables/ },
  { signs: { nft: BOTH }, status: 'warning', says: /nftables/ },
  { signs: { nft: CLOSED.replace('drop', 'accept') }, status: 'ok', says: /none/ },
  { signs: { nft: CLOSED.replaceAll('input', 'forward') }, status: 'ok', says: /none/ },
  { signs: { iptables: '-P INPUT ACCEPT\n' }, status: 'ok', says: /none/ },
  { signs: { iptables: '-P INPUT DROP\n' }, status: 'warning', says: /iptables/ },
  {
    signs: { iptables: '-P INPUT ACCEPT\n-A INPUT -p udp -j REJECT --reject-with x\n' },
    status: 'warning',
    says: /ipt/
  },
  { signs: { ufw: 'ENABLED=no\n', firewalld: 'not running\n' }, status: 'ok', says: /sign/ },
  { signs: { ufw: 'LOGLEVEL=low\nENABLED=yes\n' }, status: 'warning', says: /^ufw is on$/ },
  { signs: { firewalld: 'running\n' }, status: 'warning', says: /^firewalld is on$/ }
])('firewall signs $signs: $status', ({ signs, status, says }) => {
  const finding = describeFirewall(signs)
  expect(finding.status).toBe(status)
  expect(finding.message).toMatch(says)
  expect(finding.advice === undefined).toBe(status === 'ok')
})

test.each([
  {
    name: 'eth0',
    test: { returned: true, heard: 0 },
    status: 'ok',
    says: /goes out; nothing of other machines was heard/
  },
  {
    name: 'eth0',
    test: { returned: true, heard: 2 },
    status: 'ok',
    says: /goes out and comes in, 2 other machines/
  },
  {
    name: 'eth0',
    test: { returned: false, heard: 0, error: 'ENETUNREACH' },
    status: 'warning',
    says: /ENETUNREACH/
  },
  { name: 'docker0', test: { returned: false, heard: 0 }, status: 'ok', says: /virtual.*did not come back/ },
  { name: 'eth0', test: undefined, status: 'ok', says: /switched off/ }
])('interface $name with multicast $test: $status', ({ name, test: outcome, status, says }) => {
  const finding = describeInterface(`interface ${name}`, '10.0.0.2/24', outcome)
  expect(finding.status).toBe(status)
  expect(finding.message).toMatch(says)
})

test.each([
  { sources: [], findings: [] },
  { sources: [['same-host', 'mdns']], findings: [] },
  { sources: [[]], findings: [] },
  { sources: [['mdns', 'exchange'], ['exchange']], findings: [['ok', /1 of 2 peers .*heard/]] },
  {
    sources: [['user'], ['exchange']],
    findings: [['warning', /none of 2 .* named with --peer, told by a peer/]]
  }
] as const)('peers heard by $sources: $findings', ({ sources, findings }) => {
  const found = describeMulticast(sources.map((each) => ({ sources: each })))
  expect(found).toEqual(
    findings.map(([status, message]) =>
      expect.objectContaining({ status, message: expect.stringMatching(message) })
    )
  )
})

test('a question is a DNS message byte for byte', () => {
  expect(question('ab.local').toString('hex')).toBe('000000000001000000000000026162056c6f63616c00000c0001')
})

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

test.each([
  { error: new AggregateError([failure('ECONNREFUSED')], 'all failed'), says: /nothing listens/ },
  { error: new Error('dial', { cause: failure('EHOSTUNREACH') }), says: /no way to that network/ },
  { error: new DOMException('The operation was aborted', 'AbortError'), says: /not answered/ },
  { error: new AggregateError([failure('ETIMEDOUT')]), says: /not answered/ },
  { error: failure('PEER_BUSY'), says: /turns this machine away/ },
  { error: failure('ECONNRESET'), says: /hung up/ },
  { error: new Error('odd'), says: /^odd$/ },
  { error: 'odd', says: /^odd$/ }
])('a dial that failed with $error is explained', ({ error, says }) => {
  const { reason, advice } = explainDialFailure(error)
  expect(reason).toMatch(says)
  expect(advice).not.toBe('')
})

test('peers of earlier that are gone are no problem; those that announce themselves, or were typed, are', () => {
  const error = failure('ECONNREFUSED')
  const addresses = ['/ip4/10.0.0.2/tcp/4001']
  const findings = describeAllUnreachable([
    { id: 'past', addresses, sources: ['remembered', 'exchange'], error },
    { id: '12D3KooWnow', addresses, sources: ['remembered', 'mdns'], error },
    { addresses, sources: ['user'], error }
  ])
  expect(findings.map(({ status }) => status)).toEqual(['warning', 'problem', 'ok'])
  expect(findings[0]!.message).toContain('…ooWnow at /ip4/10.0.0.2/tcp/4001')
})

test.each([
  { code: 'WRONG_PASSWORD', advice: /dist-node join/ },
  { code: 'VERSION_MISMATCH', advice: /same version/ },
  { code: 'UNKNOWN_EPOCH', advice: /rotate/ }
])('who refuses with $code is a problem with a way out', ({ code, advice }) => {
  const finding = describeRefusal({ address: '/ip4/10.0.0.2/tcp/4001', code, message: 'no' })
  expect(finding).toMatchObject({ status: 'problem', message: '/ip4/10.0.0.2/tcp/4001: no' })
  expect(finding.advice).toMatch(advice)
})
