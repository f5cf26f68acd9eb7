// Owns which relation paths of a knowledge base a model may choose from: all that lead from given entities, as long as they are not too many.
// Refuses to know how they are written token by token, and what is made of the choice.

import { foldName } from '../../../graph/names.ts';
import { entity, termKey, termText } from '../../../graph/terms.ts';
import type { BaseName, EntityTerm, Path, PathStep, Term } from '../../../graph/terms.ts';
import type { EntityHit, PathSummary } from '../../../graph/store.ts';
import { EngineError } from '../../engine/port.ts';
import type { PathsAsked } from '../port.ts';
import type { AnswerGraph } from '../retrieve.ts';
import type { PathAutomaton, PathState } from './path-automaton.ts';

/** Reads that it needs of a knowledge graph. */
export interface PathGraph extends Pick<AnswerGraph, 'follow'> {
  named(base: BaseName, names: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<ReadonlyMap<string, readonly EntityHit[]>>;
  paths(
    base: BaseName,
    start: Term,
    options: { readonly hops: number; readonly limit?: number; readonly signal?: AbortSignal },
  ): Promise<readonly PathSummary[]>;
}
/** What an arc of the automaton stands for: a step and where it leads, where the text names that; undefined for the start. */
export interface Written {
  readonly step?: PathStep;
  readonly term?: Term;
}
export interface Offer {
  readonly starts: readonly EntityTerm[];
  readonly automaton: PathAutomaton<Written>;
  /** Paths of the base were left out, because there were too many. */
  readonly complete: boolean;
}

/** What an arc takes besides its text, where it is written down as a rule. */
const ARC = 32;
/** Paths of one start, and ends of one step, read at most. */
export const MOST_READ = 10_000;

/**
 * `characters`: of all names and relations that are offered, each time that they are. Nearer ones come first, so that where they are too many the farthest are left out; what is offered is
 * in the base. Throws EngineError `constraint_invalid` for a start that is no entity of the base, `constraint_unsatisfiable` where no path leads from any.
 */
export async function offerPaths(graph: PathGraph, asked: PathsAsked, characters: number, signal?: AbortSignal): Promise<Offer> {
  const starts = await startsOf(graph, asked, signal);
  const builder = new Builder(characters);
  if (asked.form === 'names') await offerNames(graph, asked, starts, builder, signal);
  else await offerRelations(graph, asked, starts, builder, signal);
  if (!builder.states.some(({ final }) => final))
    throw new EngineError(
      'constraint_unsatisfiable',
      `no relation path of the knowledge base ${asked.base} leads from ${starts.map(({ id }) => id).join(', ')}${asked.inverse ? '' : '; give inverse: true to walk facts from object to subject, too'}`,
    );
  return { starts, automaton: builder.states, complete: builder.complete };
}

async function startsOf(graph: PathGraph, { base, start }: PathsAsked, signal?: AbortSignal): Promise<readonly EntityTerm[]> {
  const hits = await graph.named(base, start, { signal });
  const found = new Map<string, EntityTerm>();
  for (const given of start) {
    const all = hits.get(foldName(given)) ?? [];
    if (all.length === 0)
      throw new EngineError(
        'constraint_invalid',
        `start names ${JSON.stringify(given)}, and the knowledge base ${base} has no entity of that name; give a name or alias of one`,
      );
    const exact = all.filter((hit) => hit.entity.id === given);
    for (const hit of exact.length > 0 ? exact : all) found.set(hit.entity.id, entity(hit.entity.id));
  }
  return [...found.values()];
}

class Builder {
  readonly states: PathState<Written>[] = [{ arcs: [], final: false }];
  complete = true;
  #left: number;
  constructor(characters: number) {
    this.#left = characters;
  }
  state(final: boolean): number {
    return this.states.push({ arcs: [], final }) - 1;
  }
  /** Goes on from a state, where there is room for it. */
  arc(from: number, text: string, meaning: Written, target: () => number): number | undefined {
    if (text.length + ARC > this.#left) {
      this.complete = false;
      return undefined;
    }
    this.#left -= text.length + ARC;
    const to = target();
    this.states[from].arcs.push({ text, target: to, meaning });
    return to;
  }
}

/** Breadth first, a state for each entity at each distance. */
async function offerNames(
  graph: PathGraph,
  { base, hops, inverse }: PathsAsked,
  starts: readonly EntityTerm[],
  builder: Builder,
  signal?: AbortSignal,
): Promise<void> {
  let frontier = new Map<string, { readonly term: Term; readonly state: number }>();
  for (const term of starts) {
    const state = builder.arc(0, termText(term), { term }, () => builder.state(false));
    if (state !== undefined) frontier.set(termKey(term), { term, state });
  }
  for (let hop = 1; hop <= hops && builder.complete; hop++) {
    const next: typeof frontier = new Map();
    for (const { term, state } of frontier.values()) {
      for (const { path } of await graph.paths(base, term, { hops: 1, limit: MOST_READ, signal })) {
        const [step] = path;
        if (step.inverse && !inverse) continue;
        const results = await graph.follow(base, term, path, { limit: MOST_READ + 1, signal });
        if (results.length > MOST_READ) builder.complete = false;
        for (const { end } of results.slice(0, MOST_READ)) {
          const text = step.inverse ? ` <-[${step.relation}]- ${termText(end)}` : ` -[${step.relation}]-> ${termText(end)}`;
          const target = builder.arc(state, text, { step, term: end }, () => next.get(termKey(end))?.state ?? builder.state(true));
          if (target !== undefined) next.set(termKey(end), { term: end, state: target });
        }
      }
      if (!builder.complete) break;
    }
    frontier = next;
  }
}

/** A state for each path, beginnings shared. */
async function offerRelations(
  graph: PathGraph,
  { base, hops, inverse }: PathsAsked,
  starts: readonly EntityTerm[],
  builder: Builder,
  signal?: AbortSignal,
): Promise<void> {
  const offered = new Map<string, Path>();
  for (const start of starts) {
    const paths = await graph.paths(base, start, { hops, limit: MOST_READ, signal });
    if (paths.length >= MOST_READ) builder.complete = false;
    for (const { path } of paths) if (inverse || path.every((step) => !step.inverse)) offered.set(JSON.stringify(path), path);
  }
  const places = new Map<string, number>([['[]', 0]]);
  const place = (path: Path): number | undefined => {
    const key = JSON.stringify(path);
    const known = places.get(key);
    if (known !== undefined) return known;
    const from = place(path.slice(0, -1));
    const step = path[path.length - 1];
    const to =
      from === undefined
        ? undefined
        : builder.arc(from, `${path.length > 1 ? '/' : ''}${step.inverse ? '^' : ''}${step.relation}`, { step }, () => builder.state(false));
    if (to !== undefined) places.set(key, to);
    return to;
  };
  for (const path of [...offered.values()].toSorted((a, b) => a.length - b.length)) {
    const state = place(path);
    if (state !== undefined) builder.states[state].final = true;
  }
}
