// Owns the thread that finds masks while the engine's thread waits for a pass: it takes questions in, in their order, and leaves masks in shared memory.
// Refuses to know how masks are found, and whose they are.

import { parentPort } from 'node:worker_threads';
import { MaskFinder } from './mask-finder.ts';
import { GRAMMARS, MESSAGES, PREPARED } from './mask-messages.ts';
import type { ToMaskWorker } from './mask-messages.ts';
import { MaskSlots } from '../masks/mask-slots.ts';

interface Vocabulary {
  readonly finder: MaskFinder;
  readonly slots: MaskSlots;
  readonly counts: Int32Array;
}
const vocabularies = new Map<number, Vocabulary>();

/** While nothing is asked: questions are answered between its parts. */
function prepare(vocabulary: number, parts: Iterator<void>): void {
  setImmediate(() => {
    const counts = vocabularies.get(vocabulary)?.counts;
    if (!counts) return;
    const { done } = parts.next();
    Atomics.add(counts, PREPARED, 1);
    if (done !== true) prepare(vocabulary, parts);
  });
}

function receive(message: ToMaskWorker): void {
  if (message.kind === 'open') {
    const { vocabulary, trie, size, ends, slots, counts } = message;
    const finder = new MaskFinder(trie, size, ends);
    vocabularies.set(vocabulary, { finder, slots: new MaskSlots(size, slots), counts });
    prepare(vocabulary, finder.prepare());
    return;
  }
  const vocabulary = vocabularies.get(message.vocabulary);
  if (!vocabulary) return;
  const { finder, slots, counts } = vocabulary;
  switch (message.kind) {
    case 'grammar':
      finder.keep(message.grammar, message.source);
      break;
    case 'ask':
      for (const [claim, place] of message.places) if (slots.begin(claim)) slots.finish(claim, finder.masksAt(message.grammar, place));
      break;
    case 'forget':
      finder.forget(message.grammar);
      break;
    case 'close':
      vocabularies.delete(message.vocabulary);
      break;
    default:
      message satisfies never;
  }
  Atomics.store(counts, GRAMMARS, message.kind === 'close' ? 0 : finder.count);
  Atomics.add(counts, MESSAGES, 1);
}

parentPort?.on('message', receive);
