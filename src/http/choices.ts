// Owns running several generations of one request side by side: their events in one stream, each with the number of its choice.
// Refuses to know what is generated.

/** The events of all of them as they come. Ends when all have ended; when one throws, or the reader leaves, the others end too. */
export async function* sideBySide<T>(all: readonly AsyncIterable<T>[]): AsyncGenerator<{ readonly index: number; readonly event: T }> {
  const iterators = all.map((events) => events[Symbol.asyncIterator]());
  const pending = new Map(iterators.map((iterator, index) => [index, next(iterator, index)]));
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      if (result.done) pending.delete(index);
      else {
        pending.set(index, next(iterators[index], index));
        yield { index, event: result.value };
      }
    }
  } finally {
    // What was asked for and is not waited for any more may fail.
    for (const left of pending.values()) left.catch(() => undefined);
    await Promise.all(iterators.map(async (iterator) => iterator.return?.()).map((ended) => ended.catch(() => undefined)));
  }
}
const next = async <T>(iterator: AsyncIterator<T>, index: number): Promise<{ readonly index: number; readonly result: IteratorResult<T> }> => ({ index, result: await iterator.next() });
