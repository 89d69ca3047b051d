import { job, type JobLike } from './job.ts'

function* mapSync<I, T>(fn: (input: I) => T, inputs: Iterable<I>): Generator<JobLike<T>> {
  for (const input of inputs) yield job(fn, [input])
}

async function* mapAsync<I, T>(fn: (input: I) => T, inputs: AsyncIterable<I>): AsyncGenerator<JobLike<T>> {
  for await (const input of inputs) yield job(fn, [input])
}

/** One job for each input, lazily: an input without end stays one. */
export function mapJobs<I, T>(
  fn: (input: I) => T,
  inputs: Iterable<I> | AsyncIterable<I>
): Iterable<JobLike<T>> | AsyncIterable<JobLike<T>> {
  return Symbol.asyncIterator in inputs ? mapAsync(fn, inputs) : mapSync(fn, inputs)
}
