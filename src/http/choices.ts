// Owns running several generations of one request side by side: their events in one stream, each with the number of its choice.
// Refuses to know what is generated.

type Settled<T> = { readonly index: number; readonly result: IteratorResult<T> } | { readonly error: unknown };

/** The events of all of them as they come. Ends when all have ended; when one throws, or the reader leaves, the others end too. */
export async function* sideBySide<T>(all: readonly AsyncIterable<T>[]): AsyncGenerator<{ readonly index: number; readonly event: T }> {
  const iterators = all.map((events) => events[Symbol.asyncIterator]());
  // Each waits on its own: a race would add to what waits, at each event of the others, until its turn comes.
  const settled: Settled<T>[] = [];
  let wake = (): void => undefined;
  const ask = async (index: number): Promise<void> => {
    settled.push(await next(iterators[index], index));
    wake();
  };
  try {
    for (const index of iterators.keys()) void ask(index);
    for (let left = iterators.length; left > 0;) {
      const each = settled.shift();
      if (!each) await new Promise<void>((resolve) => (wake = resolve));
      else if ('error' in each) throw each.error;
      else if (each.result.done) left--;
      else {
        void ask(each.index);
        yield { index: each.index, event: each.result.value };
      }
    }
  } finally {
    await Promise.all(iterators.map(async (iterator) => iterator.return?.()).map((ended) => ended.catch(() => undefined)));
  }
}
async function next<T>(iterator: AsyncIterator<T>, index: number): Promise<Settled<T>> {
  try {
    return { index, result: await iterator.next() };
  } catch (error) {
    return { error };
  }
}
