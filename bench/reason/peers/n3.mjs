// Owns runs of N3.js's reasoner. Refuses to know what is derived.
import { readFileSync } from 'node:fs';
import { Parser, Reasoner, Store } from 'n3';
import { measureRounds } from './rounds.ts';

measureRounds(Number(process.argv[4]), () => {
  const store = new Store(new Parser({ format: 'text/n3' }).parse(readFileSync(process.argv[2], 'utf8')));
  const before = store.size;
  new Reasoner(store).reason(new Store(new Parser({ format: 'text/n3' }).parse(readFileSync(process.argv[3], 'utf8'))));
  return store.size - before;
});
