// Owns what is particular to the embedded store: its file, its lock, its limits, its clock, and hubs.
// Refuses to repeat the contract, which store-contract.ts holds for every adapter and which runs here twice.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { RowLists } from '../../graph/embedded/columns.ts';
import { EmbeddedStore } from '../../graph/embedded/store.ts';
import { Transaction } from '../../graph/embedded/transaction.ts';
import { StoreError } from '../../graph/store.ts';
import type { Change } from '../../graph/store.ts';
import { storeContract } from './store-contract.ts';
import { createInFile, createInMemory, freshFile, openStore } from '../helpers/store-embedded.ts';
import { assert, base, describe, forgetsOldRules, id, matchAll, node, number, objects, otherBase, path, relation, withdraw } from '../helpers/store-world.ts';
import { walks } from '../helpers/store-walks.ts';

const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

await storeContract(t, 'the embedded store in a file keeps the contract', createInFile);
await storeContract(t, 'the embedded store in memory keeps the contract', createInMemory);

t.test('the store says what it is and what it can do', async (t) => {
  const store = new EmbeddedStore({ file: ':memory:' });
  t.equal(store.kind, 'embedded');
  t.same(store.capabilities, { inProcess: true, asOf: true });
  t.match(await failure(store.match(base, {})), { code: 'closed' }, 'it refuses before it is opened');
  await store.open();
  t.same((await store.match(base, {})).items, []);
  await store.close();
  await store.close();
  t.match(await failure(store.open()), { code: 'closed' }, 'a store is opened once');
});

t.test('a file has one owner at a time', async (t) => {
  const file = await freshFile(t);
  const first = await openStore(file);
  await first.transact(base, [assert('a', 'r', 'b')]);
  const error = await failure(openStore(file));
  t.ok(error instanceof StoreError);
  t.match(error, { code: 'locked' });
  t.match((error as Error).message, file, 'the message names the file');

  const loader = fileURLToPath(new URL('../helpers/store-loader.ts', import.meta.url));
  const child = spawn(process.execPath, [loader, file, '0', '1'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  t.equal(code, 1, 'another process is refused');
  t.equal(output, '', 'before it could write');
  t.match(complaint, /locked/);

  t.equal((await first.transact(base, [assert('a', 'r', 'c')])).added.length, 1, 'the owner goes on undisturbed');
  await first.close();
  const second = await openStore(file);
  t.same(objects(await matchAll(t, second, base)), ['b', 'c'], 'after closing, the file is free');
  await second.close();
});

t.test('a file that is no store is refused and left as it is', async (t) => {
  const file = await freshFile(t);
  const garbage = Buffer.from('this is a shopping list, not a database\n'.repeat(500));
  await writeFile(file, garbage);
  const error = await failure(openStore(file));
  t.ok(error instanceof StoreError);
  t.match(error, { code: 'corrupt' });
  t.match((error as Error).message, file, 'the message names the file');
  t.same(await readFile(file), garbage);

  const foreign = await freshFile(t);
  const database = new DatabaseSync(foreign);
  database.exec('CREATE TABLE shopping (item TEXT); INSERT INTO shopping VALUES (\'milk\')');
  database.close();
  t.match(await failure(openStore(foreign)), { code: 'corrupt' }, 'a database of somebody else');
  const after = new DatabaseSync(foreign);
  t.same(after.prepare('SELECT name FROM sqlite_schema ORDER BY name').all().map((row) => row['name']), ['shopping'], 'in which nothing was created');
  after.close();
});

t.test('a file written by a newer version is refused', async (t) => {
  const file = await freshFile(t);
  await openStore(file).then((store) => store.close());
  const database = new DatabaseSync(file);
  t.ok(Number(database.prepare('PRAGMA user_version').get()?.['user_version']) > 0, 'the schema is versioned');
  database.exec('PRAGMA user_version = 9999');
  database.close();
  const error = await failure(openStore(file));
  t.ok(error instanceof StoreError);
  t.match((error as Error).message, /9999/, 'the message says which version was found');
});

t.test('a file of the first version is taken over: what its rules were before is not known', async (t) => {
  const file = await freshFile(t);
  const store = await openStore(file);
  await store.transact(base, [{ kind: 'rule', id: 'r', document: 'old' }]);
  await store.transact(base, [assert('a', 'r', 'b')]);
  await store.close();
  const database = new DatabaseSync(file);
  database.exec('DROP TABLE rule_past; ALTER TABLE base DROP COLUMN rules_from; PRAGMA user_version = 1');
  database.close();
  const again = await openStore(file);
  t.same(await again.ruleHistory(base), { version: 2, from: 2, rules: [{ id: 'r', document: 'old' }], changes: [] });
  t.same(objects(await matchAll(t, again, base)), ['b']);
  await again.transact(base, [{ kind: 'rule', id: 'r', document: 'new' }]);
  t.match(await again.ruleHistory(base), { version: 3, from: 2, changes: [{ version: 3, id: 'r', before: 'old' }] });
  await again.close();
  await openStore(file).then((third) => third.close());
});

t.test('rules of versions too long ago are forgotten', async (t) => {
  const file = await freshFile(t);
  await forgetsOldRules(t, (limits) => openStore(file, { limits }), base);
});

t.test('a damaged file is refused as corrupt', async (t) => {
  const file = await freshFile(t);
  const store = await openStore(file);
  await store.transact(base, Array.from({ length: 3000 }, (_, n) => assert(`subject ${n}`, 'r', `object ${n}`)));
  await store.close();
  const size = (await stat(file)).size;
  const cut = `${file}.cut`;
  await copyFile(file, cut);
  await truncate(cut, Math.floor(size / 2 / 4096) * 4096);
  t.match(await failure(openStore(cut)), { code: 'corrupt' }, 'half of the pages are missing');
  const scratched = `${file}.scratched`;
  const bytes = await readFile(file);
  bytes.fill(0xa5, 4096, size - 4096);
  await writeFile(scratched, bytes);
  t.match(await failure(openStore(scratched)), { code: 'corrupt' }, 'the pages are overwritten');
  const whole = await openStore(file);
  t.equal((await whole.bases())[0].facts, 3000);
  await whole.close();
});

t.test('a bulk load is indexed as it comes and again when the file is opened', async (t) => {
  const file = await freshFile(t);
  let store = await openStore(file);
  const total = 20_000;
  for (let start = 0; start < total; start += 5000) {
    const commit = await store.transact(
      base,
      Array.from({ length: 5000 }, (_, n): Change => assert(`film ${Math.floor((start + n) / 4)}`, `relation ${n % 4}`, n % 4 === 3 ? number(1900 + ((start + n) % 100)) : `person ${((start + n) * 7919) % 3001}`)),
    );
    t.equal(commit.added.length, 5000);
  }
  for (const moment of ['after loading', 'after opening again']) {
    t.match((await store.bases())[0], { base, version: 4, facts: total, entities: 5000 + 3001, relations: 4 }, moment);
    t.same((await store.relations(base)).map((one) => [one.name, one.facts, one.literals]).sort(), [0, 1, 2, 3].map((n) => [`relation ${n}`, 5000, n === 3 ? 1 : 0]), moment);
    t.equal((await matchAll(t, store, base, { subject: id('film 1234') })).length, 4, moment);
    t.equal((await matchAll(t, store, base, { relation: relation('relation 3'), object: number(1903) }, { limit: 17 })).length, 200, moment);
    t.equal((await store.follow(base, node('film 0'), path('relation 3', '~relation 3'))).length, 199, moment);
    if (moment === 'after loading') {
      await store.close();
      store = await openStore(file);
    }
  }
  const gone = await store.transact(base, [withdraw({ relation: relation('relation 2') })]);
  t.equal(gone.withdrawn.length, 5000, 'a withdrawal may take thousands of facts');
  t.equal((await matchAll(t, store, base)).length, 15_000);
  await store.close();
  store = await openStore(file);
  t.equal((await matchAll(t, store, base)).length, 15_000);
  await store.close();
});

t.test('a walk over a hub stays within its budget and says nothing false', async (t) => {
  const store = await openStore(':memory:');
  t.teardown(() => store.close());
  const spokes = 30_000;
  for (let start = 0; start < spokes; start += 10_000)
    await store.transact(base, Array.from({ length: 10_000 }, (_, n): Change => assert(`film ${start + n}`, 'language', 'English')));
  await store.transact(base, Array.from({ length: 3000 }, (_, n): Change => assert(`film ${n}`, 'directed by', `director ${n % 1000}`)));
  const near = await store.paths(base, node('English'), { hops: 1 });
  t.same(near.map((one) => one.path), [path('~language')]);
  t.ok(near[0].ends > 0 && near[0].ends <= spokes);
  const far = await store.paths(base, node('film 1'), { hops: 2 });
  const shared = far.find((one) => one.path.length === 2 && one.path[1].relation === 'language');
  t.ok(shared !== undefined && shared.ends > 0 && shared.ends < spokes, 'films in the same language');
  const some = await store.follow(base, node('film 1'), path('language', '~language'));
  t.equal(some.length, 1000, 'follow gives its default of a thousand ends');
  t.equal(new Set(some.map((one) => JSON.stringify(one.end))).size, 1000);
  t.ok(some.every((one) => walks(node('film 1'), path('language', '~language'), one)));
  const fellows = await store.follow(base, node('film 1'), path('directed by', '~directed by'));
  t.same(fellows.map((one) => (one.end.kind === 'entity' ? one.end.id : '')).sort(), ['film 1001', 'film 2001'], 'what does not pass the hub is exact');
});

t.test('transaction times come from the given clock and never run backwards for a fact', async (t) => {
  let time = Date.parse('2030-01-01T00:00:00.000Z');
  const store = await openStore(':memory:', { now: () => new Date(time) });
  t.teardown(() => store.close());
  const [first] = (await store.transact(base, [assert('a', 'r', 'b')])).added;
  t.equal(first.recordedAt, '2030-01-01T00:00:00.000Z');
  time -= 60_000;
  const [gone] = (await store.transact(base, [withdraw({})])).withdrawn;
  t.ok((gone.retractedAt ?? '') >= first.recordedAt, 'a clock that is set back retracts no fact before it was recorded');
  time += 3_600_000;
  await store.transact(base, [assert('a', 'r', 'c')]);
  t.same(objects(await matchAll(t, store, base, {}, { asOf: '2030-01-01T01:30:00.000Z' })), ['c']);
  t.same(objects(await matchAll(t, store, base, {}, { asOf: '2030-01-01T00:30:00.000Z' })), []);
});

t.test('the file of a store without a path to it cannot be opened, and says so', async (t) => {
  const file = await freshFile(t);
  await writeFile(file, '');
  const error = await failure(openStore(`${file}/below/graph.db`));
  t.ok(error instanceof StoreError, 'a file is no folder');
  t.match((error as Error).message, 'graph.db');
});

t.test('a file or folder that may not be written is told as such', async (t) => {
  const file = await freshFile(t);
  await openStore(file).then((store) => store.close());
  const folder = dirname(file);
  const loader = fileURLToPath(new URL('../helpers/store-loader.ts', import.meta.url));
  // To root nothing is forbidden: another process is asked, of a user that may read the program.
  const nobody = { uid: 65_534, gid: 65_534 };
  const isRoot = process.getuid?.() === 0;
  if (isRoot && spawnSync(process.execPath, ['--check', loader], nobody).status !== 0) return;
  const complaint = async (): Promise<string> => {
    const child = spawn(process.execPath, [loader, file, '0', '1'], { stdio: ['ignore', 'ignore', 'pipe'], ...(isRoot ? nobody : {}) });
    const [said] = await Promise.all([text(child.stderr), once(child, 'close')]);
    return said;
  };
  t.teardown(() => chmod(folder, 0o700));
  await chmod(folder, 0o777);
  await chmod(file, 0o444);
  t.match(await complaint(), `${file} may not be read and written (EACCES)`, 'the file');
  await chmod(file, 0o666);
  await chmod(folder, 0o555);
  t.match(await complaint(), `${folder} may not be read and written (EACCES)`, 'the folder, in which the log is written');
  await chmod(folder, 0o777);
  // What watches tests may complain of folders of its own.
  t.notMatch(await complaint(), 'the store');
});

t.test('a new subject is not compared with all others of its object', (t) => {
  const lists = new RowLists();
  for (let row = 0; row < 5; row++) lists.append(0, row);
  t.equal(lists.size(-1), 0, 'a list that is none is shorter than any other');
  t.equal(lists.size(0), 5);
  t.end();
});

t.test('a transaction that cannot be taken back in memory does not block the file for those after it', async (t) => {
  const store = await openStore(':memory:');
  t.teardown(() => store.close());
  const failing = Object.getOwnPropertyDescriptor(Transaction.prototype, 'rollback')?.value as Transaction['rollback'];
  t.teardown(() => void (Transaction.prototype.rollback = failing));
  Transaction.prototype.rollback = function () {
    failing.call(this);
    throw new Error('the fault of this test');
  };
  const broken = { kind: 'assert', get statement(): never { throw new Error('no statement'); } } as Change;
  t.match(await failure(store.transact(base, [assert('a', 'r', 'b'), broken])), { message: 'the fault of this test' });
  t.equal((await store.transact(base, [assert('a', 'r', 'c')])).added.length, 1);
  t.same(objects(await matchAll(t, store, base)), ['c']);
});

t.test('a long transaction gives way, others wait for it, and one that fails in the middle leaves nothing', async (t) => {
  const file = await freshFile(t);
  const store = await openStore(file);
  const many = Array.from({ length: 40_000 }, (_, i) => assert(`s${i % 5_000}`, 'r', `o${i}`));
  const broken = { kind: 'assert', get statement(): never { throw new Error('no statement'); } } as Change;
  const failing = failure(store.transact(base, [...many, broken]));
  const [kept, other] = [store.transact(base, many), store.transact(otherBase, [assert('a', 'r', 'b')])];
  t.match(await failing, { message: 'no statement' });
  t.match(await other, { version: 1, added: [{ subject: 'a' }] });
  t.equal((await kept).added.length, 40_000);
  const others = { turns: 0, over: false };
  const waiting = (async () => {
    for (; !others.over; others.turns++) await setImmediate();
  })();
  const gone = await store.transact(base, [withdraw({ relation: relation('r') })]);
  others.over = true;
  await waiting;
  t.equal(gone.withdrawn.length, 40_000);
  t.ok(others.turns > 2, `${others.turns} turns`);
  const last = store.transact(base, [...many.slice(0, 20_000), assert('a', 'r', 'c')]);
  await store.close();
  t.equal((await last).added.length, 20_001, 'closing waits for what is at work');
  const again = await openStore(file);
  t.teardown(() => again.close());
  t.same((await again.bases()).map(({ base, version, facts }) => [base, version, facts]), [[base, 3, 20_001], [otherBase, 1, 1]]);
});

t.test('names survive a great number of descriptions of the same entity', async (t) => {
  const file = await freshFile(t);
  let store = await openStore(file);
  for (let round = 0; round < 30; round++) await store.transact(base, [describe('Q1', { label: `Name ${round}`, aliases: [`Alias ${round}`, `别名${round}`] }), assert('Q1', 'round', number(round))]);
  await store.transact(otherBase, [describe('Q1', { label: 'Name 3' })]);
  await store.close();
  store = await openStore(file);
  t.same((await store.entities(base, [id('Q1')])).map((one) => [one.label, one.aliases.map((alias) => alias.text)]), [['Name 29', ['Alias 29', '别名29']]]);
  t.same((await store.search(base, 'Name 3')).filter((hit) => hit.score === 1), [], 'an old name is gone');
  t.equal((await store.search(base, '别名29'))[0].score, 1);
  t.equal((await store.search(otherBase, 'Name 3'))[0].entity.id, 'Q1');
  await store.close();
});
