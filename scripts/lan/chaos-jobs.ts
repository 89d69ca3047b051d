/** The jobs of chaos: COUNT of them, short, each with an answer that the submitter can check. */
import { setTimeout as delay } from 'node:timers/promises'
import { answerOf } from './chaos-answer.ts'

export default function chaosJobs([count, seed]: string[]): Iterable<() => Promise<number>> {
  return jobs(Number(count), Number(seed))
}

function* jobs(count: number, seed: number): Generator<() => Promise<number>> {
  for (let index = 0; index < count; index++) {
    yield async () => {
      await delay(index % 10)
      return answerOf(index, seed)
    }
  }
}
