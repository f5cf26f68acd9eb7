// Owns the tables 4 to 9 of OWL 2 Profiles, section 4.3, tried on triples whose predicates are variables, again and again, until nothing changes. It is what the rule set is compared with.
// Refuses speed, literals, and what the rule set leaves out: reflexive statements (eq-ref, scm-cls, scm-op, scm-dp) and eq-rep-p.

export type Plain = readonly [subject: string, relation: string, object: string];
type Bindings = Readonly<Record<string, string>>;

const key = (triple: Plain): string => triple.join('\u0000');
const EMPTY = 'empty list';

/** `T(?x, p, ?y)` as `?x p ?y`, several divided by `;`. Names with spaces are written with `_`. */
const patterns = (text: string): Plain[] =>
  text.split(';').map(
    (part) =>
      part
        .trim()
        .split(/\s+/u)
        .map((word) => word.replaceAll('_', ' ')) as unknown as Plain,
  );

/** Rules without lists: `body -> head`, or `body -> false`. `differ`: variables that must not be equal, where equals would only say what is left out. */
const RULES: readonly { readonly name: string; readonly rule: string; readonly differ?: readonly [string, string] }[] = [
  { name: 'eq-sym', rule: '?x same_as ?y -> ?y same_as ?x' },
  { name: 'eq-trans', rule: '?x same_as ?y; ?y same_as ?z -> ?x same_as ?z' },
  { name: 'eq-rep-s', rule: '?s same_as ?t; ?s ?p ?o -> ?t ?p ?o' },
  { name: 'eq-rep-o', rule: '?o same_as ?t; ?s ?p ?o -> ?s ?p ?t' },
  { name: 'eq-diff1', rule: '?x same_as ?y; ?x different_from ?y -> false' },
  { name: 'prp-dom', rule: '?p domain ?c; ?x ?p ?y -> ?x is_a ?c' },
  { name: 'prp-rng', rule: '?p range ?c; ?x ?p ?y -> ?y is_a ?c' },
  { name: 'prp-fp', rule: '?p is_a functional_property; ?x ?p ?y; ?x ?p ?z -> ?y same_as ?z', differ: ['?y', '?z'] },
  { name: 'prp-ifp', rule: '?p is_a inverse_functional_property; ?y ?p ?x; ?z ?p ?x -> ?y same_as ?z', differ: ['?y', '?z'] },
  { name: 'prp-irp', rule: '?p is_a irreflexive_property; ?x ?p ?x -> false' },
  { name: 'prp-symp', rule: '?p is_a symmetric_property; ?x ?p ?y -> ?y ?p ?x' },
  { name: 'prp-asyp', rule: '?p is_a asymmetric_property; ?x ?p ?y; ?y ?p ?x -> false' },
  { name: 'prp-trp', rule: '?p is_a transitive_property; ?x ?p ?y; ?y ?p ?z -> ?x ?p ?z' },
  { name: 'prp-spo1', rule: '?p subproperty_of ?q; ?x ?p ?y -> ?x ?q ?y' },
  { name: 'prp-eqp1', rule: '?p equivalent_property ?q; ?x ?p ?y -> ?x ?q ?y' },
  { name: 'prp-eqp2', rule: '?p equivalent_property ?q; ?x ?q ?y -> ?x ?p ?y' },
  { name: 'prp-pdw', rule: '?p property_disjoint_with ?q; ?x ?p ?y; ?x ?q ?y -> false' },
  { name: 'prp-inv1', rule: '?p inverse_of ?q; ?x ?p ?y -> ?y ?q ?x' },
  { name: 'prp-inv2', rule: '?p inverse_of ?q; ?x ?q ?y -> ?y ?p ?x' },
  { name: 'prp-npa1', rule: '?n source_individual ?a; ?n assertion_property ?p; ?n target_individual ?b; ?a ?p ?b -> false' },
  { name: 'cls-nothing2', rule: '?x is_a nothing -> false' },
  { name: 'cls-com', rule: '?c complement_of ?d; ?x is_a ?c; ?x is_a ?d -> false' },
  { name: 'cls-svf1', rule: '?r some_values_from ?c; ?r on_property ?p; ?x ?p ?y; ?y is_a ?c -> ?x is_a ?r' },
  { name: 'cls-svf2', rule: '?r some_values_from thing; ?r on_property ?p; ?x ?p ?y -> ?x is_a ?r' },
  { name: 'cls-avf', rule: '?r all_values_from ?c; ?r on_property ?p; ?x is_a ?r; ?x ?p ?y -> ?y is_a ?c' },
  { name: 'cls-hv1', rule: '?r has_value ?v; ?r on_property ?p; ?x is_a ?r -> ?x ?p ?v' },
  { name: 'cls-hv2', rule: '?r has_value ?v; ?r on_property ?p; ?x ?p ?v -> ?x is_a ?r' },
  { name: 'cax-sco', rule: '?c subclass_of ?d; ?x is_a ?c -> ?x is_a ?d' },
  { name: 'cax-eqc1', rule: '?c equivalent_class ?d; ?x is_a ?c -> ?x is_a ?d' },
  { name: 'cax-eqc2', rule: '?c equivalent_class ?d; ?x is_a ?d -> ?x is_a ?c' },
  { name: 'cax-dw', rule: '?c disjoint_with ?d; ?x is_a ?c; ?x is_a ?d -> false' },
  { name: 'scm-sco', rule: '?x subclass_of ?y; ?y subclass_of ?z -> ?x subclass_of ?z' },
  { name: 'scm-eqc1', rule: '?x equivalent_class ?y -> ?x subclass_of ?y' },
  { name: 'scm-eqc1', rule: '?x equivalent_class ?y -> ?y subclass_of ?x' },
  { name: 'scm-eqc2', rule: '?x subclass_of ?y; ?y subclass_of ?x -> ?x equivalent_class ?y', differ: ['?x', '?y'] },
  { name: 'scm-spo', rule: '?x subproperty_of ?y; ?y subproperty_of ?z -> ?x subproperty_of ?z' },
  { name: 'scm-eqp1', rule: '?x equivalent_property ?y -> ?x subproperty_of ?y' },
  { name: 'scm-eqp1', rule: '?x equivalent_property ?y -> ?y subproperty_of ?x' },
  { name: 'scm-eqp2', rule: '?x subproperty_of ?y; ?y subproperty_of ?x -> ?x equivalent_property ?y', differ: ['?x', '?y'] },
  { name: 'scm-dom1', rule: '?p domain ?c; ?c subclass_of ?d -> ?p domain ?d' },
  { name: 'scm-dom2', rule: '?q domain ?c; ?p subproperty_of ?q -> ?p domain ?c' },
  { name: 'scm-rng1', rule: '?p range ?c; ?c subclass_of ?d -> ?p range ?d' },
  { name: 'scm-rng2', rule: '?q range ?c; ?p subproperty_of ?q -> ?p range ?c' },
  {
    name: 'scm-hv',
    rule: '?c has_value ?v; ?c on_property ?p; ?d has_value ?v; ?d on_property ?q; ?p subproperty_of ?q -> ?c subclass_of ?d',
    differ: ['?c', '?d'],
  },
  { name: 'scm-hv', rule: '?c has_value ?v; ?c on_property ?p; ?d has_value ?v; ?d on_property ?p -> ?c subclass_of ?d', differ: ['?c', '?d'] },
  ...['some', 'all'].flatMap((quantor) => {
    const [values, abbreviation] = [`${quantor}_values_from`, quantor === 'some' ? 'svf' : 'avf'];
    const wider = quantor === 'some' ? '?c subclass_of ?d' : '?d subclass_of ?c';
    return [
      {
        name: `scm-${abbreviation}1`,
        rule: `?c ${values} ?y; ?c on_property ?p; ?d ${values} ?z; ?d on_property ?p; ?y subclass_of ?z -> ?c subclass_of ?d`,
        differ: ['?c', '?d'] as const,
      },
      {
        name: `scm-${abbreviation}1`,
        rule: `?c ${values} ?y; ?c on_property ?p; ?d ${values} ?y; ?d on_property ?p -> ?c subclass_of ?d`,
        differ: ['?c', '?d'] as const,
      },
      {
        name: `scm-${abbreviation}2`,
        rule: `?c ${values} ?y; ?c on_property ?p; ?d ${values} ?y; ?d on_property ?q; ?p subproperty_of ?q -> ${wider}`,
        differ: ['?c', '?d'] as const,
      },
    ];
  }),
];
interface Compiled {
  readonly name: string;
  readonly body: readonly Plain[];
  readonly head: Plain | undefined;
  readonly differ?: readonly [string, string];
}
const compile = (name: string, rule: string, differ?: readonly [string, string]): Compiled => {
  const [body, head] = rule.split('->');
  return { name, body: patterns(body), head: head.trim() === 'false' ? undefined : patterns(head)[0], ...(differ ? { differ } : {}) };
};

/** What follows from the triples, and the rules that are violated. */
export function owlTables(told: Iterable<Plain>): { readonly triples: ReadonlySet<string>; readonly violated: ReadonlySet<string> } {
  const triples = new Map<string, Plain>();
  const byRelation = new Map<string, Plain[]>();
  const add = (triple: Plain): boolean => {
    if (triples.has(key(triple))) return false;
    triples.set(key(triple), triple);
    byRelation.set(triple[1], [...(byRelation.get(triple[1]) ?? []), triple]);
    return true;
  };
  for (const triple of told) add(triple);
  const violated = new Set<string>();
  const plain = RULES.map(({ name, rule, differ }) => compile(name, rule, differ));
  for (let changed = true; changed;) {
    changed = false;
    for (const { name, body, head, differ } of [...plain, ...listRules([...triples.values()])]) {
      const found: Bindings[] = [];
      const meet = (at: number, bindings: Bindings): void => {
        if (at === body.length) return void found.push(bindings);
        const pattern = body[at].map((word) => bindings[word] ?? word) as unknown as Plain;
        for (const triple of pattern[1].startsWith('?') ? triples.values() : (byRelation.get(pattern[1]) ?? [])) {
          const more: Record<string, string> = { ...bindings };
          if (pattern.every((word, i) => (word.startsWith('?') ? (more[word] ??= triple[i]) : word) === triple[i])) meet(at + 1, more);
        }
      };
      meet(0, {});
      for (const bindings of found) {
        if (differ && bindings[differ[0]] === bindings[differ[1]]) continue;
        if (!head) violated.add(name);
        else if (add(head.map((word) => bindings[word] ?? word) as unknown as Plain)) changed = true;
      }
    }
  }
  return { triples: new Set(triples.keys()), violated };
}

/** The rules of the tables that read lists, for the lists that there are. */
function listRules(triples: readonly Plain[]): Compiled[] {
  const word = (name: string): string => name.replaceAll(' ', '_');
  const members = (list: string): string[] => {
    if (list === EMPTY) return [];
    const first = triples.find(([s, p]) => s === list && p === 'first of list')?.[2] as string;
    return [first, ...members(triples.find(([s, p]) => s === list && p === 'rest of list')?.[2] as string)].map(word);
  };
  const lists = (relation: string): [string, string[]][] => triples.flatMap(([s, p, o]) => (p === relation ? [[word(s), members(o)]] : []));
  const rules: Compiled[] = [];
  const axioms = (name: string): [string, string[]][] =>
    lists('axiom members').filter(([s]) => triples.some(([a, p, o]) => word(a) === s && p === 'is a' && o === name));
  for (const [c, parts] of lists('intersection of')) {
    rules.push(compile('cls-int1', `${parts.map((part) => `?y is_a ${part}`).join('; ')} -> ?y is_a ${c}`));
    for (const part of parts)
      rules.push(compile('cls-int2', `?y is_a ${c} -> ?y is_a ${part}`), compile('scm-int', `${c} intersection_of ?l -> ${c} subclass_of ${part}`));
  }
  for (const [c, parts] of lists('union of'))
    for (const part of parts)
      rules.push(compile('cls-uni', `?y is_a ${part} -> ?y is_a ${c}`), compile('scm-uni', `${c} union_of ?l -> ${part} subclass_of ${c}`));
  for (const [c, each] of lists('one of')) for (const one of each) rules.push(compile('cls-oo', `${c} one_of ?l -> ${one} is_a ${c}`));
  for (const [p, steps] of lists('property chain'))
    rules.push(compile('prp-spo2', `${steps.map((step, i) => `?u${i} ${step} ?u${i + 1}`).join('; ')} -> ?u0 ${p} ?u${steps.length}`));
  for (const [c, keys] of lists('has key'))
    rules.push(
      compile('prp-key', `?x is_a ${c}; ?y is_a ${c}; ${keys.map((k, i) => `?x ${k} ?z${i}; ?y ${k} ?z${i}`).join('; ')} -> ?x same_as ?y`, ['?x', '?y']),
    );
  const pairs = (each: readonly string[]): [string, string][] => each.flatMap((a, i) => each.slice(i + 1).map((b): [string, string] => [a, b]));
  for (const [, each] of axioms('all different')) for (const [a, b] of pairs(each)) rules.push(compile('eq-diff2', `${a} same_as ${b} -> false`));
  for (const [, each] of axioms('all disjoint classes'))
    for (const [a, b] of pairs(each)) rules.push(compile('cax-adc', `?x is_a ${a}; ?x is_a ${b} -> false`));
  for (const [, each] of axioms('all disjoint properties')) for (const [a, b] of pairs(each)) rules.push(compile('prp-adp', `?x ${a} ?y; ?x ${b} ?y -> false`));
  return rules;
}
