// Owns runs of SQLite's recursive query over edges. Refuses to know other rules.
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { measureRounds } from './rounds.ts';

measureRounds(Number(process.argv[3]), () => {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE edge (a TEXT, b TEXT); BEGIN');
  const insert = database.prepare('INSERT INTO edge VALUES (?, ?)');
  for (const line of readFileSync(process.argv[2], 'utf8').split('\n')) insert.run(...line.split('\t'));
  database.exec('COMMIT; CREATE INDEX by_a ON edge (a)');
  const { n } = database.prepare('WITH RECURSIVE path(a, b) AS (SELECT a, b FROM edge UNION SELECT path.a, edge.b FROM path JOIN edge ON path.b = edge.a) SELECT count(*) AS n FROM path').get();
  database.close();
  return n;
});
