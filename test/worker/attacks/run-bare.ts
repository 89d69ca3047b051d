import { spawn } from 'node:child_process'
import type { Command } from '../../../src/worker/level.ts'
import type { Attack, Target } from './attack.ts'

const LIMIT_MS = 10_000

/** Runs one attack in a process of its own, started by `command`. Gives what it got; nothing when it was stopped. */
export async function runBare(command: Command, { attack }: Attack, target: Target): Promise<string> {
  const child = spawn(command.file, command.args, {
    env: { ...command.env },
    stdio: ['pipe', 'pipe', 'ignore']
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
  let answer = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify({ source: sourceOf(attack), target }))
  await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return readAnswer(answer)
}

function readAnswer(answer: string): string {
  if (answer === '') return '' // died of it
  try {
    const parsed = JSON.parse(answer) as { got?: string | number | boolean } | string
    return typeof parsed === 'string' ? parsed : String(parsed.got ?? '')
  } catch {
    return answer
  }
}

function sourceOf(attack: Attack['attack']): string {
  return attack.toString()
}
