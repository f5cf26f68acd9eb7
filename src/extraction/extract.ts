// Owns taking triples out of text with a model: each passage with the relations that it may speak of, in a form that holds by construction, and only names that stand in the text.
// Refuses to know HTTP, and where the triples go.

import { parseEntityId } from '../../graph/terms.ts';
import type { Relation, RelationName } from '../../graph/terms.ts';
import { messagesOf } from '../answers/words/compose.ts';
import { plain, renderRelations } from '../answers/words/evidence.ts';
import { EngineError } from '../engine/port.ts';
import type { Engine, GenerateRequest, ModelInfo, Usage } from '../engine/port.ts';
import { statementsOf } from './clauses.ts';
import type { Statements } from './clauses.ts';
import { isElsewhere, isIndefinite, isOfAnother, isOfRelative, stands, wholeName, withoutAside, withoutLead, withoutTail, withoutTime } from './names.ts';
import { passagesOf, withoutMark } from './passages.ts';
import { Referents } from './pronouns.ts';
import { candidatesOf, formsOf, isTurned, kindOf, tellingOf } from './relations.ts';
import { fitsRow, readable, readRows, rowsGrammar } from './rows.ts';
import type { Candidate } from './relations.ts';

export interface Extracted {
  readonly subject: string;
  readonly relation: RelationName;
  readonly object: string;
  /** The passage that tells it. */
  readonly passage: string;
}
export interface Extraction {
  readonly triples: readonly Extracted[];
  /** Triples that were left out because a name of theirs does not stand in the passage, or can be none. */
  readonly invented: number;
  /** Clauses and sentences that nothing was read in, since they deny, suppose or ask it, or only report what somebody says. */
  readonly denied: number;
  /** Passages at whose end the model had more to say than it had room for. */
  readonly cut: number;
  readonly usage: Usage;
}
export interface ExtractionLimits {
  /** Relations told of one passage. */
  readonly relations: number;
  /** Triples of one passage. */
  readonly triples: number;
  /** Passages of one text, and how many are with the engine at a time. */
  readonly passages: number;
  readonly atOnce: number;
}

interface Written {
  readonly subject: string;
  readonly relation: string;
  readonly object: string;
}
const schemaOf = (labels: readonly string[], most: number): object => ({
  type: 'array',
  maxItems: most,
  items: {
    type: 'object',
    properties: { subject: { type: 'string' }, relation: { enum: labels }, object: { type: 'string' } },
    required: ['subject', 'relation', 'object'],
    additionalProperties: false,
  },
});
/** The whole objects of a JSON array, which may break off, or rows. */
function read(text: string, trained: boolean): readonly Written[] {
  if (trained) return readRows(text).map(([subject, relation, object]) => ({ subject, relation, object }));
  const whole = text.trimEnd().endsWith(']') ? text : `${text.slice(0, text.lastIndexOf('}') + 1)}]`;
  try {
    return JSON.parse(whole) as readonly Written[];
  } catch {
    return [];
  }
}

function requestOf(model: ModelInfo, passage: string, candidates: readonly Candidate[], most: number, maxTokens: number): GenerateRequest {
  const labels = [...new Set(candidates.map(({ label }) => label))];
  const language = /\p{Script=Han}/u.test(passage) ? 'zh' : 'en';
  const messages = model.grounded
    ? messagesOf(renderRelations('extract', readable(passage, language), labels, language))
    : [
        { role: 'system' as const, content: `Write the facts of the text as a JSON array of objects with subject, relation and object, and an empty array if it tells none. Names stand as they stand in the text. Relations: ${labels.join('; ')}.` },
        { role: 'user' as const, content: passage },
      ];
  return {
    model: model.id,
    prompt: {
      kind: 'chat',
      thinking: false,
      messages,
    },
    sampling: { temperature: 0, topP: 1 },
    maxTokens,
    stop: [],
    constraint: model.grounded ? { kind: 'grammar', grammar: rowsGrammar(labels, most, language, plain(passage).trim()) } : { kind: 'schema', schema: schemaOf(labels, most) },
  };
}

/** Throws EngineError `context_length_exceeded` for a text of too many passages, and what the engine throws. */
export async function extract(
  engine: Engine,
  model: ModelInfo,
  text: string,
  relations: readonly Pick<Relation, 'name' | 'aliases'>[],
  limits: ExtractionLimits,
  signal?: AbortSignal,
): Promise<Extraction> {
  const passages = [...passagesOf(text).take(limits.passages + 1)];
  if (passages.length > limits.passages)
    throw new EngineError('context_length_exceeded', `the text has more than ${limits.passages} passages of up to three sentences, which is what one request takes: send it in parts`);
  // A model that was trained for it is small, and reads one sentence better than several.
  const parts = model.grounded ? passages.flatMap((passage) => [...passagesOf(passage, 1)].map(withoutMark)) : passages;
  const candidates = (part: string): readonly Candidate[] => candidatesOf(part, relations, limits.relations).filter(({ label }) => !model.grounded || fitsRow(label));
  const results: Read[][] = [];
  // Sentences are taken from the queue, and their pronouns read, in the order of the text.
  const referents = new Referents();
  let denied = 0;
  const queue = parts.entries();
  // Where one passage fails, the others are not read to their ends for nobody. A signal of its own would not carry the request's terms.
  let failed = false;
  const work = async (): Promise<void> => {
    for (const [i, passage] of queue) {
      if (failed) return;
      const spoken = candidates(passage);
      const statements = model.grounded ? statedBy(passage, spoken.map(({ label }) => label), referents) : { told: [passage], denied: 0 };
      denied += statements.denied;
      results[i] = [];
      for (const clause of spoken.length > 0 ? statements.told : []) {
        const its = clause === passage ? spoken : candidates(clause);
        if (failed) return;
        if (its.length > 0) results[i].push(await ofPassage(engine, model, clause, passage, its, limits.triples, () => failed, signal).catch((error: unknown) => {
          throw error instanceof EngineError && error.code === 'context_length_exceeded' ? tooLong(passage, error) : error;
        }));
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(limits.atOnce, parts.length) }, work));
  } catch (error) {
    failed = true;
    throw error;
  }
  const made = results.flat();
  const seen = new Set<string>();
  return {
    triples: made.flatMap(({ triples }) =>
      triples.filter(({ subject, relation, object }) => {
        const key = JSON.stringify([subject, relation, object]);
        return !seen.has(key) && seen.add(key) !== undefined;
      }),
    ),
    invented: made.reduce((sum, { invented }) => sum + invented, 0),
    denied,
    cut: made.filter(({ cut }) => cut).length,
    usage: {
      promptTokens: made.reduce((sum, { usage }) => sum + usage.promptTokens, 0),
      completionTokens: made.reduce((sum, { usage }) => sum + usage.completionTokens, 0),
    },
  };
}

/** What a sentence states, with names in the place of pronouns that are subjects. */
function statedBy(sentence: string, labels: readonly string[], referents: Referents): Statements {
  const { told, denied } = statementsOf(sentence, labels);
  referents.next();
  // Of what is denied the subject may be meant by what follows.
  if (told.length === 0 || !sentence.startsWith(told[0].slice(0, BEGINNING))) referents.read(sentence, labels);
  return { told: told.map((clause) => referents.read(clause, labels)), denied };
}
const BEGINNING = 8;

const SHOWN = 60;
/** Which passage of a long text it is, cannot be seen from a number of tokens. */
const tooLong = (passage: string, error: EngineError): EngineError =>
  new EngineError(error.code, `the passage that begins ${JSON.stringify(passage.slice(0, SHOWN).toWellFormed())} is too long; end its sentences with full stops, or leave it out: ${error.message}`, { cause: error });
/** Could a store hold it? */
function isEntityName(name: string): boolean {
  try {
    return parseEntityId(name) !== '';
  } catch {
    return false;
  }
}
interface Read {
  readonly triples: readonly Extracted[];
  readonly invented: number;
  readonly cut: boolean;
  readonly usage: Usage;
}
const HAN = /\p{Script=Han}/u;
/** Chinese words have no borders, and a label may hang on a name: 不丹位于. */
const withoutLabel = (subject: string, object: string, label: string): readonly [subject: string, object: string] =>
  HAN.test(label) ? [subject.endsWith(label) ? subject.slice(0, -label.length) : subject, object.startsWith(label) ? object.slice(label.length) : object] : [subject, object];
/** The fact with names as they are meant, or none. */
function factOf({ subject: first, relation, object: second }: Written, text: string): readonly [subject: string, object: string] | undefined {
  const kind = kindOf(relation);
  const telling = new Set(tellingOf(relation).flatMap(formsOf));
  const isHead = (word: string): boolean => formsOf(word.toLowerCase()).some((form) => telling.has(form));
  const names = withoutLabel(withoutAside(withoutLead(withoutTime(first.trim(), text), text)), withoutAside(withoutTail(second.trim())), relation);
  const said = names.map((name) => wholeName(name, text, isHead));
  const turned = isTurned(text, said[0], relation, said[1]) ? said.toReversed() : said;
  // Of a kind and of an occupation "a whale" and "a poet" are said as they are meant; "a film" that somebody directed is any.
  const isAny = (name: string, i: number): boolean => isIndefinite(name, text) && kind !== 'class' && (i === 0 || kind !== 'noun');
  const [subject, object] = turned.map((name) => (kind === 'class' ? name.replace(/^[Aa]n?\s(?=\p{Ll})/u, '') : name));
  // 王芳是李明的妻子 does not say that the one is the other.
  const isOwner = kind === 'class' && text.includes(`${object}的`) && !text.includes(`的${object}`);
  // A name that stands there once is not told of itself.
  const apart = subject !== object || text.indexOf(subject) !== text.lastIndexOf(subject);
  const around = text.replaceAll(relation, '|');
  const named = [subject, object].every((name) => isEntityName(name) && stands(name, text) && name !== relation && (!HAN.test(name) || around.includes(name)));
  // "Carla Moss, lives", "work at Acme", "the Ashby Works by Helion Power": more of the clause than a name.
  const tells = (word = ''): boolean => /^\p{Ll}+$/u.test(word) && isHead(word);
  const goesOn = [subject, object].some((name) => {
    const words = name.split(/\s/);
    return words.length > 1 && ((kind === 'verb' && tells(words.at(-1))) || ((kind === 'verb' || kind === 'copula') && tells(words[0])));
  }) || (/ by$/i.test(relation) && / by \p{Lu}/u.test(object));
  const isOther = goesOn || isOfAnother(subject, text, isHead) || isOfRelative(subject, text, isHead) || isElsewhere(object, text, relation);
  return named && apart && !isOther && !isOwner && !turned.some(isAny) ? [subject, object] : undefined;
}
/** What the model reads in `text`, which is the passage or a clause of it. */
async function ofPassage(
  engine: Engine,
  model: ModelInfo,
  text: string,
  passage: string,
  candidates: readonly Candidate[],
  most: number,
  isOver: () => boolean,
  signal?: AbortSignal,
): Promise<Read> {
  // Every fact repeats names of the passage, and has some signs around them.
  const maxTokens = 2 * (await engine.countTokens(model.id, text)) + 30 * most;
  let written = '';
  let cut = false;
  let usage: Usage = { promptTokens: 0, completionTokens: 0 };
  for await (const event of engine.generate(requestOf(model, text, candidates, most, maxTokens), signal)) {
    if (isOver()) break;
    if (event.kind === 'delta') written += event.text;
    else if (event.kind === 'error') throw event.error;
    else if (event.kind === 'finish') [cut, usage] = [event.reason === 'length', event.usage];
  }
  // Of relations that share a label the first is meant.
  const relationOf = new Map(candidates.map(({ label, relation }) => [label, relation] as const).toReversed());
  const facts = read(written, model.grounded !== undefined);
  const triples = facts.flatMap((fact) => {
    const known = relationOf.get(fact.relation);
    const names = known && factOf(fact, text);
    return names ? [{ subject: names[0], relation: known, object: names[1], passage }] : [];
  });
  return { triples, invented: facts.length - triples.length, cut, usage };
}
