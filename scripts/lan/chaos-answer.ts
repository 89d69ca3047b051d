/** The answer of a chaos job: computed where the job runs, and again where its result is checked. */
export function answerOf(index: number, seed: number): number {
  let value = (index ^ seed) >>> 0
  for (let round = 0; round < 1000; round++) value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0
  return value
}
