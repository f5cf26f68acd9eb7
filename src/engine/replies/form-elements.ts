// Owns the elements of calls whose marks have parts: a name beside attributes, a namespace in front of each, values of which the head says what they are.
// Refuses to know how elements are read, and which model writes them.

import type { ElementForm, Named } from './element-body.ts';
import type { Mark } from './marks.ts';

type As = (mark: Mark) => string;
const TEXT: ReadonlySet<string> = new Set(['string']);
const JSON_TYPES: ReadonlySet<string> = new Set(['integer', 'number', 'boolean', 'null', 'array', 'object']);
const ENTITIES: Readonly<Record<string, string>> = { '&quot;': '"', '&lt;': '<', '&gt;': '>', '&amp;': '&' };

/** The value of an attribute in a head such as ` name="city" string="true"`. */
function attribute(head: string, name: string): string | undefined {
  const [, double, single] = new RegExp(`(?:^|\\s)${name}=(?:"([^"]*)"|'([^']*)')`).exec(head) ?? [];
  return (double ?? single)?.replaceAll(/&(?:quot|lt|gt|amp);/g, (entity) => ENTITIES[entity]);
}
const without = (form: Omit<ElementForm, 'lines'>): ElementForm => ({ ...form, lines: false });
const parameters = { open: '<parameter=', keyEnd: '>', valueClose: '</parameter>', close: '</function>', nameEnd: '>' } as const;

/** As Qwen3-Coder's; a value stands on no lines of its own. */
export const seedElements = (as: As): ElementForm =>
  without({ nameEnd: '>', open: as(parameters.open), keyEnd: '>', valueClose: as(parameters.valueClose), close: as(parameters.close) });
/** A function with a JSON object in it. */
export const functionElements = seedElements;

/** <function name="f"><param name="a">value</param></function>, with a value that holds marks in CDATA (MiniCPM 5). */
export const minicpmElements = (as: As): ElementForm =>
  without({
    nameEnd: '>',
    open: as('<param name='),
    keyEnd: '>',
    valueClose: as('</param>'),
    close: as('</function>'),
    raw: { open: '<![CDATA[', close: ']]>' },
  });

const kimi = (open: 'open' | 'close', name: string): Mark => [`<|${open}|>`, name, ...(open === 'open' ? [] : ['<|sep|>'])];
/** <|open|>call tool="f" index="1"<|sep|><|open|>argument key="a" type="string"<|sep|>value<|close|>argument<|sep|><|close|>call<|sep|> (Kimi K3). */
export const kimiElements = (as: As): ElementForm =>
  without({
    nameEnd: as('<|sep|>'),
    open: as(kimi('open', 'argument')),
    keyEnd: as('<|sep|>'),
    valueClose: as(kimi('close', 'argument')),
    close: as(kimi('close', 'call')),
    named: (head): Named => {
      const type = attribute(head, 'type');
      return { name: attribute(head, 'tool') ?? attribute(head, 'key') ?? '', ...(type === undefined ? {} : { types: type === 'string' ? TEXT : JSON_TYPES }) };
    },
  });

/** <tool_call:opensource>f<tool_sep:opensource> and then keys and values as GLM's (Hunyuan 3). */
export const hunyuanMark = (name: string): string => `<${name}:opensource>`;
export const hunyuanElements = (as: As): ElementForm => {
  const [nameEnd, open, keyEnd, valueOpen, valueClose, close] = ['tool_sep', 'arg_key', '/arg_key', 'arg_value', '/arg_value', '/tool_call'].map((name) =>
    as(hunyuanMark(name)),
  );
  return without({ nameEnd, open, keyEnd, valueOpen, valueClose, close });
};

const DSML = '｜DSML｜';
const dsmlMark = (name: string, end = ''): readonly string[] => ['<', DSML, name + end];
const dsmlClose = (name: string): readonly string[] => ['</', DSML, `${name}>`];
/** <｜DSML｜invoke name="f"> and <｜DSML｜parameter name="a" string="true">value</｜DSML｜parameter> (DeepSeek V3.2, V4). `calls`: the element around them. */
export const dsmlElements = (
  calls: string,
): {
  readonly open: readonly string[];
  readonly around: readonly [readonly string[], readonly string[]];
  readonly element: { readonly close: readonly string[] };
  readonly form: (as: As) => ElementForm;
} => ({
  open: dsmlMark('invoke'),
  around: [dsmlMark(calls, '>'), dsmlClose(calls)],
  element: { close: dsmlClose('invoke') },
  form: (as) =>
    without({
      nameEnd: '>',
      open: as(dsmlMark('parameter')),
      keyEnd: '>',
      valueClose: as(dsmlClose('parameter')),
      close: as(dsmlClose('invoke')),
      named: (head) => {
        const text = attribute(head, 'string');
        return { name: attribute(head, 'name') ?? '', ...(text === undefined ? {} : { types: text === 'true' ? TEXT : JSON_TYPES }) };
      },
    }),
});

/** In front of each element of MiniMax M3, as one special token. */
export const NAMESPACE = ']<]minimax[>[';
export const namespaced = (name: string): readonly string[] => [NAMESPACE, `<${name}`];
/** Elements within elements, each named as what it holds. */
export function minimaxElements(as: As): ElementForm {
  const open = as(namespaced(''));
  const closeOf = (name: string): string => as(namespaced(`/${name}>`));
  return without({
    nameEnd: '>',
    open,
    keyEnd: '>',
    valueClose: '',
    close: closeOf('invoke'),
    nested: { open, nameEnd: '>', closeOf, end: '/invoke', item: 'item' },
  });
}

/** <|START_RESPONSE|> and its like (Command R7B). */
export const commandMark = (side: 'START' | 'END', what: string): string => `<|${side}_${what}|>`;
