// Owns every Cypher text, with the labels, properties, constraints and indexes it speaks of. Values travel as parameters; a text is put together from the fixed
// pieces of this file only.
// Refuses to know who asks, and what the answers mean.
//
// (:Entity:Term {kb, key, id, name, aliases, languages, types, described})   key: see termKey in records.ts
// (:Literal:Term {kb, key, type, value})
// (:Entity)-[:REL {fid, kb, key, name, negated, confidence, source, document, page, start, end, validFrom, validTo, fromMs, toMs, recordedAt}]->(:Term)
// (:Entity)-[:RETRACTED {... retractedAt}]->(:Term)   what was withdrawn
// (:Entity)-[:NAMED]->(:EntityName {kb, key, folded, grams})   each name once, folded
// (:Relation {kb, name, facts, negatives, literals, declared, ...}), (:Rule {kb, id, document, place}), (:KnowledgeBase {kb, version, time, recent, rulesFrom})
// (:RulePast {kb, version, id, document, at})   a rule's document before that version; rulesFrom: the earliest version whose rules are known

/** Constraints and indexes; each is harmless where it is there already. */
const SCHEMA: readonly string[] = [
  'CREATE CONSTRAINT pharos_base IF NOT EXISTS FOR (n:KnowledgeBase) REQUIRE n.kb IS UNIQUE',
  'CREATE CONSTRAINT pharos_term IF NOT EXISTS FOR (n:Term) REQUIRE (n.kb, n.key) IS UNIQUE',
  'CREATE CONSTRAINT pharos_entity IF NOT EXISTS FOR (n:Entity) REQUIRE (n.kb, n.id) IS UNIQUE',
  'CREATE CONSTRAINT pharos_name IF NOT EXISTS FOR (n:EntityName) REQUIRE (n.kb, n.key) IS UNIQUE',
  'CREATE CONSTRAINT pharos_relation IF NOT EXISTS FOR (n:Relation) REQUIRE (n.kb, n.name) IS UNIQUE',
  'CREATE CONSTRAINT pharos_rule IF NOT EXISTS FOR (n:Rule) REQUIRE (n.kb, n.id) IS UNIQUE',
  'CREATE CONSTRAINT pharos_past_rule IF NOT EXISTS FOR (n:RulePast) REQUIRE (n.kb, n.version, n.id) IS UNIQUE',
  'CREATE CONSTRAINT pharos_fact IF NOT EXISTS FOR ()-[r:REL]-() REQUIRE r.fid IS UNIQUE',
  'CREATE CONSTRAINT pharos_fact_key IF NOT EXISTS FOR ()-[r:REL]-() REQUIRE r.key IS UNIQUE',
  'CREATE CONSTRAINT pharos_retracted IF NOT EXISTS FOR ()-[r:RETRACTED]-() REQUIRE r.fid IS UNIQUE',
  'CREATE INDEX pharos_facts IF NOT EXISTS FOR ()-[r:REL]-() ON (r.kb, r.negated, r.fid)',
  'CREATE INDEX pharos_facts_by_relation IF NOT EXISTS FOR ()-[r:REL]-() ON (r.kb, r.negated, r.name, r.fid)',
  'CREATE INDEX pharos_facts_by_source IF NOT EXISTS FOR ()-[r:REL]-() ON (r.kb, r.source)',
  'CREATE INDEX pharos_retracted_facts IF NOT EXISTS FOR ()-[r:RETRACTED]-() ON (r.kb, r.negated, r.fid)',
  'CREATE INDEX pharos_retracted_by_relation IF NOT EXISTS FOR ()-[r:RETRACTED]-() ON (r.kb, r.negated, r.name, r.fid)',
  "CREATE FULLTEXT INDEX pharos_names IF NOT EXISTS FOR (n:EntityName) ON EACH [n.kb, n.grams] OPTIONS {indexConfig: {`fulltext.analyzer`: 'whitespace', `fulltext.eventually_consistent`: false}}",
];
/** What of the schema is ready. A constraint is known by its index. */
export const READY_SCHEMA = "SHOW INDEXES YIELD name, state WHERE name STARTS WITH 'pharos_' AND state = 'ONLINE' RETURN collect(name) AS names";
export const missingSchema = (ready: readonly string[]): readonly string[] =>
  SCHEMA.filter((statement) => !ready.includes(/pharos_\w+/.exec(statement)?.[0] ?? ''));
export const AWAIT_SCHEMA = 'CALL db.awaitIndexes(120)';

const FACT = `r {.fid, .key, .name, .negated, .confidence, .source, .document, .page, .start, .end, .validFrom, .validTo, .recordedAt, .retractedAt} AS fact,
  s.id AS subject, o {.id, .type, .value} AS object`;

/** Which positions of a pattern are given. */
export interface Shape {
  readonly subject: boolean;
  readonly relation: boolean;
  readonly object: boolean;
}
const isAnchored = (shape: Shape): boolean => shape.subject || shape.object;
/** From a term by the term's index, whatever the planner thinks of the facts' order; else by an index of the facts. */
const edge = (shape: Shape, type: 'REL' | 'RETRACTED', from: '$' | 'row.'): string => {
  const term = (name: 's' | 'o', position: 'subject' | 'object'): string => (shape[position] ? `${name}:Term {kb: $kb, key: ${from}${position}}` : name);
  const hint = isAnchored(shape) ? `USING INDEX ${shape.subject ? 's' : 'o'}:Term(kb, key)` : '';
  return `MATCH (${term('s', 'subject')})-[r:${type}]->(${term('o', 'object')}) ${hint}
WHERE r.kb = $kb AND r.negated = ${from}negated${shape.relation ? ` AND r.name = ${from}relation` : ''}`;
};

/** A page of facts behind the id $after, in order of ids: live ones, or with `history` those recorded at $asOf. */
export function match(shape: Shape, history: boolean): string {
  const filters = `AND r.fid > $after AND r.confidence >= $minConfidence
  AND ($validAt IS NULL OR ((r.fromMs IS NULL OR r.fromMs <= $validAt) AND (r.toMs IS NULL OR $validAt < r.toMs)))`;
  // The index's own order, so that a page is read from it and no more.
  const page = `ORDER BY ${isAnchored(shape) ? 'r.fid' : `r.kb, r.negated, ${shape.relation ? 'r.name, ' : ''}r.fid`} LIMIT $limit`;
  if (!history) return `${edge(shape, 'REL', '$')} ${filters} WITH s, r, o ${page} RETURN ${FACT}`;
  return `CALL () {
${edge(shape, 'REL', '$')} ${filters} AND r.recordedAt <= $asOf RETURN s, r, o ${page}
UNION ALL
${edge(shape, 'RETRACTED', '$')} ${filters} AND r.recordedAt <= $asOf AND $asOf < r.retractedAt RETURN s, r, o ${page}
} WITH s, r, o ${page} RETURN ${FACT}`;
}
export const FACTS_BY_ID = `CALL () {
UNWIND $ids AS id MATCH (s)-[r:REL {fid: id}]->(o) WHERE r.kb = $kb RETURN s, r, o
UNION ALL
UNWIND $ids AS id MATCH (s)-[r:RETRACTED {fid: id}]->(o) WHERE r.kb = $kb RETURN s, r, o
} RETURN ${FACT}`;

const ENTITY = 'n {.id, .name, .aliases, .languages, .types, .described} AS entity';
/** An entity is known while a live fact names it, and for good once it was described. */
const KNOWN = '(n.described OR EXISTS { (n)-[:REL]-() })';
export const ENTITIES = `UNWIND $keys AS key MATCH (n:Entity:Term {kb: $kb, key: key}) WHERE ${KNOWN} RETURN ${ENTITY}`;
export const NAMED_EXACTLY = `UNWIND $keys AS key MATCH (name:EntityName {kb: $kb, key: key})<-[:NAMED]-(n:Entity) WHERE ${KNOWN} RETURN key, ${ENTITY}`;
/** The shortest names first: what begins with $beginning may be much. */
export const NAMED_FROM = `MATCH (name:EntityName) WHERE name.kb = $kb AND name.key STARTS WITH $beginning
WITH name ORDER BY size(name.key), name.key LIMIT $names
MATCH (name)<-[:NAMED]-(n:Entity) WHERE ${KNOWN} RETURN DISTINCT ${ENTITY} LIMIT $limit`;
/** $query: full-text syntax over `kb` and `grams`, made of letters, digits and the base's name only. */
export const NAMED_LIKE = `CALL db.index.fulltext.queryNodes('pharos_names', $query, {limit: $names}) YIELD node AS name
MATCH (name)<-[:NAMED]-(n:Entity) WHERE ${KNOWN} RETURN DISTINCT ${ENTITY} LIMIT $limit`;

export const RELATIONS = `MATCH (n:Relation {kb: $kb}) WHERE n.declared OR n.facts > 0 OR n.negatives > 0 RETURN n {.*} AS relation ORDER BY n.name`;
export const RULES = 'MATCH (n:Rule {kb: $kb}) RETURN n.id AS id, n.document AS document ORDER BY n.place, n.id';
/** `documents` false: each document is an empty text. */
export const ruleHistory = (documents: boolean): string => {
  const document = documents ? '.document' : 'document: left(n.document, 0)';
  return `MATCH (b:KnowledgeBase {kb: $kb})
RETURN b.version AS version, coalesce(b.rulesFrom, b.version) AS from,
  COLLECT { MATCH (n:Rule {kb: $kb}) RETURN n {.id, ${document}} ORDER BY n.place, n.id } AS rules,
  COLLECT { MATCH (n:RulePast {kb: $kb}) RETURN n {.version, .at, .id, ${document}} ORDER BY n.version DESC, n.id } AS changes`;
};
export const BASES = `MATCH (b:KnowledgeBase) WHERE b.version > 0
RETURN b.kb AS base, b.version AS version,
  COLLECT { MATCH (n:Relation {kb: b.kb}) WHERE n.declared OR n.facts > 0 OR n.negatives > 0 RETURN n.facts + n.negatives } AS relations,
  COUNT { MATCH (n:Entity) WHERE n.kb = b.kb AND ${KNOWN} } AS entities
ORDER BY base`;
export const VERSION = 'MATCH (b:KnowledgeBase {kb: $kb}) RETURN b.version AS version';

/**
 * One step from each of several frontiers ($paths: index, keys): what is there, how much it reaches, a sample, and where to go on from.
 * At most $edges edges are looked at for one frontier.
 */
export const STEPS = `UNWIND $paths AS p
CALL (p) {
  UNWIND p.keys AS key
  MATCH (n:Term {kb: $kb, key: key})
  CALL (n) {
    MATCH (n)-[r:REL]->(m) WHERE NOT r.negated RETURN r, false AS inverse, m
    UNION ALL
    MATCH (n)<-[r:REL]-(m) WHERE NOT r.negated RETURN r, true AS inverse, m
  }
  RETURN r.name AS relation, inverse, m, r.fromMs IS NOT NULL OR r.toMs IS NOT NULL AS validity LIMIT $edges
}
WITH p.index AS index, relation, inverse, collect(DISTINCT m) AS reached, max(validity) AS timed
WITH index, relation, inverse, reached, timed, [m IN reached WHERE m.key <> $start] AS ends
RETURN index, relation, inverse, timed, size(ends) AS ends, [m IN ends[..$sample] | m {.id, .type, .value}] AS sample, [m IN reached[..$frontier] | m.key] AS keys
ORDER BY index, relation, inverse`;
/** One step of a path from the terms $keys: each term it reaches once, by the first fact from the first of $keys. */
export const step = (inverse: boolean): string => {
  const [from, to] = inverse ? ['o', 's'] : ['s', 'o'];
  return `UNWIND range(0, size($keys) - 1) AS place
MATCH (${from}:Term {kb: $kb, key: $keys[place]}) MATCH (s)-[r:REL]->(o)
WHERE r.name = $relation AND NOT r.negated AND ${to}.key <> $except
WITH place, s, r, o ORDER BY place, r.fid LIMIT $edges
WITH ${to}.key AS key, collect([place, s, r, o])[0] AS first
WITH key, first[0] AS place, first[1] AS s, first[2] AS r, first[3] AS o ORDER BY place, r.fid LIMIT $limit
RETURN key, place, ${FACT}`;
};

/** Takes the base's lock until the end of the transaction. */
export const LOCK_BASE = `MERGE (b:KnowledgeBase {kb: $kb}) ON CREATE SET b.version = 0, b.time = 0.0, b.recent = []
SET b.lock = $transaction, b.rulesFrom = coalesce(b.rulesFrom, b.version)
RETURN b.version AS version, b.time AS time, b.recent AS recent`;
export const MOVE_BASE = `MATCH (b:KnowledgeBase {kb: $kb})
SET b.version = b.version + 1, b.time = $time, b.recent = (b.recent + $transaction)[-64..]
REMOVE b.lock
RETURN b.version AS version`;

export const LIVE_BY_KEY = `UNWIND $keys AS key MATCH (s)-[r:REL {key: key}]->(o) RETURN ${FACT}`;
/** Live facts for each pattern of $rows, all of one shape, with or without a source. */
export const withdrawn = (shape: Shape, source: boolean): string =>
  `UNWIND $rows AS row ${edge(shape, 'REL', 'row.')}${source ? ' AND r.source = row.source' : ''} RETURN row.index AS index, ${FACT}`;
export const TERM_KEYS = 'UNWIND $keys AS key MATCH (n:Term {kb: $kb, key: key}) RETURN key';
export const DESCRIBED = `UNWIND $keys AS key MATCH (n:Entity:Term {kb: $kb, key: key}) RETURN ${ENTITY}`;
export const DECLARED = 'UNWIND $names AS name MATCH (n:Relation {kb: $kb, name: name}) RETURN n {.*} AS relation';
export const RULES_BY_ID = 'UNWIND $ids AS id MATCH (n:Rule {kb: $kb, id: id}) RETURN n.id AS id, n.document AS document';

export const RETRACT = `UNWIND $ids AS id MATCH (s)-[r:REL {fid: id}]->(o)
CREATE (s)-[gone:RETRACTED]->(o) SET gone = properties(r), gone.retractedAt = $at
DELETE r`;
export const CREATE_ENTITIES = 'UNWIND $rows AS row CREATE (n:Entity:Term {kb: $kb}) SET n += row';
export const CREATE_LITERALS = 'UNWIND $rows AS row CREATE (n:Literal:Term {kb: $kb}) SET n += row';
export const DESCRIBE_ENTITIES = 'UNWIND $rows AS row MATCH (n:Term {kb: $kb, key: row.key}) SET n += row';
export const FORGET_NAMES = `UNWIND $keys AS key MATCH (:Term {kb: $kb, key: key})-[r:NAMED]->(name)
DELETE r
WITH DISTINCT name WHERE NOT EXISTS { (name)<-[:NAMED]-() }
DELETE name`;
export const NAME_ENTITIES = `UNWIND $rows AS row MATCH (n:Term {kb: $kb, key: row.entity})
MERGE (name:EntityName {kb: $kb, key: row.key}) ON CREATE SET name.folded = row.folded, name.grams = row.grams
CREATE (n)-[:NAMED]->(name)`;
export const CREATE_FACTS = `UNWIND $rows AS row MATCH (s:Term {kb: $kb, key: row.subject}) MATCH (o:Term {kb: $kb, key: row.object})
CREATE (s)-[r:REL]->(o) SET r = row.fact`;
export const COUNT_FACTS = `UNWIND $rows AS row MERGE (n:Relation {kb: $kb, name: row.name}) ON CREATE SET n.facts = 0, n.negatives = 0, n.literals = 0, n.declared = false
SET n.facts = n.facts + row.facts, n.negatives = n.negatives + row.negatives, n.literals = n.literals + row.literals`;
export const DECLARE_RELATIONS = `UNWIND $rows AS row MERGE (n:Relation {kb: $kb, name: row.name}) ON CREATE SET n.facts = 0, n.negatives = 0, n.literals = 0
SET n += row, n.declared = true`;
export const PUT_RULES = `UNWIND $rows AS row MERGE (n:Rule {kb: $kb, id: row.id}) ON CREATE SET n.place = row.place SET n.document = row.document`;
export const KEEP_RULES = 'UNWIND $rows AS row CREATE (n:RulePast {kb: $kb, version: $version, at: $at}) SET n.id = row.id, n.document = row.document';
/** Forgets the rules of versions before the $versions-th last one that changed rules, and before the $changes-th last change. */
export const FORGET_RULES = `MATCH (b:KnowledgeBase {kb: $kb})
CALL () {
  MATCH (n:RulePast {kb: $kb}) WITH DISTINCT n.version AS version ORDER BY version DESC SKIP $versions LIMIT 1 RETURN version
  UNION ALL
  MATCH (n:RulePast {kb: $kb}) WITH n.version AS version ORDER BY version DESC SKIP $changes LIMIT 1 RETURN version
}
WITH b, max(version) AS cut
SET b.rulesFrom = cut
WITH cut MATCH (n:RulePast {kb: $kb}) WHERE n.version <= cut
DELETE n`;
export const DELETE_RULES = 'UNWIND $ids AS id MATCH (n:Rule {kb: $kb, id: id}) DELETE n';
