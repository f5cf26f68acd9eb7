// Owns relation paths as a finite automaton over text: what may be written next, as a grammar for the engine; and which path a text is.
// Refuses to know the graph, and what the arcs stand for.

/** The text goes on with `text` and is at `target` then. */
export interface PathArc<T> {
  readonly text: string;
  readonly target: number;
  readonly meaning: T;
}
export interface PathState<T> {
  readonly arcs: PathArc<T>[];
  /** A path may end here. */
  final: boolean;
}
/** State 0 is the beginning. No arc has an empty text, and none leads back. */
export type PathAutomaton<T> = readonly PathState<T>[];

/** The automaton in llama.cpp's GBNF: one rule for each state. Arcs that begin alike share their beginnings, so that there are few places to look at while it is followed. */
export function pathGrammar<T>(all: PathAutomaton<T>): string {
  const states = withoutDeadEnds(all);
  return states
    .map(({ arcs, final }, i) => {
      const ways = choice(arcs.map(({ text, target }) => ({ text: Array.from(text), target })));
      return `${name(i)} ::= ${final ? `(${ways})?` : ways}`;
    })
    .filter((_, i) => i === 0 || states[i].arcs.length > 0)
    .join('\n');

  function choice(items: readonly { readonly text: readonly string[]; readonly target: number }[]): string {
    const ended = items.filter(({ text }) => text.length === 0).map(({ target }) => (states[target].arcs.length > 0 ? name(target) : '""'));
    const groups = Map.groupBy(
      items.filter(({ text }) => text.length > 0),
      ({ text }) => text[0],
    );
    const going = [...groups.values()].map((group) => {
      let shared = 1;
      while (group.every(({ text }) => text.length > shared && text[shared] === group[0].text[shared])) shared++;
      const rest = choice(group.map(({ text, target }) => ({ text: text.slice(shared), target })));
      return `${quote(group[0].text.slice(0, shared).join(''))} ${rest.includes('|') ? `(${rest})` : rest}`;
    });
    return [...new Set([...ended, ...going])].join(' | ') || '""';
  }
}
/** Without arcs from which no end is reached. */
function withoutDeadEnds<T>(states: PathAutomaton<T>): PathAutomaton<T> {
  const known = new Map<number, boolean>();
  const ends = (state: number): boolean => {
    let found = known.get(state);
    if (found === undefined) known.set(state, (found = states[state].final || states[state].arcs.some(({ target }) => ends(target))));
    return found;
  };
  return states.map(({ arcs, final }) => ({ final, arcs: arcs.filter(({ target }) => ends(target)) }));
}
const name = (state: number): string => (state === 0 ? 'root' : `s${state}`);
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' };
const quote = (text: string): string => `"${text.replace(/[\n\r\t"\\]/g, (sign) => ESCAPES[sign])}"`;

/** The arcs that a whole text takes from the beginning to an end, the first way that is found; undefined where there is none. */
export function follow<T>(states: PathAutomaton<T>, text: string): readonly PathArc<T>[] | undefined {
  const open: { readonly state: number; readonly at: number; readonly arcs: readonly PathArc<T>[] }[] = [{ state: 0, at: 0, arcs: [] }];
  for (let here = open.pop(); here; here = open.pop()) {
    const { state, at, arcs } = here;
    if (at === text.length && states[state].final) return arcs;
    for (const arc of states[state].arcs) if (text.startsWith(arc.text, at)) open.push({ state: arc.target, at: at + arc.text.length, arcs: [...arcs, arc] });
  }
  return undefined;
}
