/** Puts results back into input order; those behind a gap wait, and come at the end if it is never filled. */
export async function* inInputOrder<R extends { readonly index: number }>(
  results: AsyncIterable<R>
): AsyncGenerator<R, void, void> {
  const early = new Map<number, R>()
  let next = 0
  let failure: { readonly error: unknown } | undefined
  try {
    for await (const result of results) {
      early.set(result.index, result)
      for (let ready = early.get(next); ready !== undefined; ready = early.get(next)) {
        early.delete(next++)
        yield ready
      }
    }
  } catch (error) {
    failure = { error }
  }
  yield* [...early.values()].toSorted((a, b) => a.index - b.index)
  if (failure !== undefined) throw failure.error
}
