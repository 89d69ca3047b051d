import { describe, expect, test } from 'vitest'
import { AnswerPace, QuestionPace } from '../../src/node/network/question-pace.ts'

/** Times at which a node asks until then. */
function askTimes(pace: QuestionPace, untilMs: number): number[] {
  const times: number[] = []
  while (pace.nextMs <= untilMs) {
    times.push(pace.nextMs)
    pace.onAsked(pace.nextMs)
  }
  return times
}

describe('questions', () => {
  test('a node that hears nobody asks again soon, then once a minute', () => {
    const times = askTimes(new QuestionPace(0, () => 0), 160_000)
    expect(times).toEqual([0, 1_000, 4_000, 13_000, 40_000, 100_000, 160_000])
  })

  test('a node in company asks once a minute, and not when another has asked', () => {
    const pace = new QuestionPace(0, () => 0)
    pace.onAsked(0)
    pace.onAnswerHeard(50)
    expect(pace.nextMs).toBe(60_050)
    pace.onOtherAsked(40_000)
    expect(pace.nextMs).toBe(100_000)
  })

  test('the questions of others do not keep a lonely node from asking, nor any from its first question', () => {
    const pace = new QuestionPace(0, () => 0)
    pace.onAnswerHeard(0)
    pace.onOtherAsked(0)
    expect(pace.nextMs).toBe(0)
    const lonely = new QuestionPace(0, () => 0)
    lonely.onAsked(0)
    lonely.onOtherAsked(500)
    expect(lonely.nextMs).toBe(1_000)
  })

  test('of a mesh one node asks for all', () => {
    const paces = Array.from({ length: 50 }, (_, at) => new QuestionPace(0, () => at / 50))
    for (const pace of paces) {
      pace.onAsked(0)
      pace.onAnswerHeard(10)
    }
    let questions = 0
    for (let nowMs = 1_000; nowMs < 601_000; nowMs += 100) {
      const due = paces.find((pace) => pace.nextMs <= nowMs)
      if (due === undefined) continue
      questions++
      due.onAsked(nowMs)
      for (const pace of paces) if (pace !== due) pace.onOtherAsked(nowMs)
    }
    expect(questions).toBeLessThanOrEqual(10)
    expect(questions).toBeGreaterThanOrEqual(7)
  })

  test('who is in a hurry asks at once, but not many times', () => {
    const pace = new QuestionPace(0, () => 0)
    pace.onAsked(0)
    pace.onAnswerHeard(0)
    pace.hurry(2_000)
    expect(pace.nextMs).toBe(5_000)
    pace.onAsked(5_000)
    pace.hurry(30_000)
    expect(pace.nextMs).toBe(30_000)
  })
})

describe('answers', () => {
  test('come at once when there are few, spread out when there are many', () => {
    expect(new AnswerPace(() => 1).onQuestion(100, 0)).toBe(100)
    expect(new AnswerPace(() => 1).onQuestion(100, 49)).toBe(198)
    expect(new AnswerPace(() => 1).onQuestion(100, 10_000)).toBe(600)
  })

  test('one in a second serves all who ask', () => {
    const pace = new AnswerPace(() => 0)
    expect(pace.onQuestion(0, 5)).toBe(0)
    expect(pace.onQuestion(0, 5)).toBeUndefined()
    pace.onAnswered(0)
    expect(pace.onQuestion(10, 5)).toBe(1_000)
    expect(pace.onQuestion(500, 5)).toBeUndefined()
    pace.onAnswered(1_000)
    expect(pace.onQuestion(5_000, 5)).toBe(5_000)
  })
})
