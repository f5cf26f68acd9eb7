// Owns reading replies that are given as text, at once and in pieces, for the tests of formats.
// Refuses to know models.

import type { Test } from 'tap';
import type { Tool } from '../../src/engine/port.ts';
import { FormatReader } from '../../src/engine/replies/format.ts';
import type { CallFormat, ReplyFormat } from '../../src/engine/replies/format.ts';
import type { Form } from '../../src/engine/replies/forms.ts';
import { Marks } from '../../src/engine/replies/marks.ts';
import { joined } from '../../src/engine/replies/reader.ts';
import type { ReplyPart } from '../../src/engine/replies/reader.ts';
import { seeded } from '../helpers/store-world.ts';

export interface Read {
  readonly said: string;
  readonly thought: string;
  readonly calls: readonly (readonly [name: string, args: string])[];
  /** Kinds of the parts, in order. */
  readonly order: string;
}
export interface How {
  readonly opened?: boolean;
  readonly single?: boolean;
  readonly special?: readonly string[];
  readonly names?: readonly string[];
  readonly tools?: readonly Tool[];
}
export const NAMES = ['weather', 'add'];
/** Schemas by which values are told from text where a format does not quote it. */
export const TOOLS: readonly Tool[] = [
  { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' }, unit: { enum: ['C', 'F'] }, at: { $ref: '#/$defs/at' }, places: { type: 'array' } }, $defs: { at: { type: ['string', 'null'] } } } },
  { name: 'add', parameters: { type: 'object', properties: { a: { type: 'number' }, b: { anyOf: [{ type: 'string' }, { type: 'number' }] } } } },
];
export function reader(format: ReplyFormat, { opened = false, single = false, special = [], names = NAMES, tools = TOOLS }: How = {}): { readonly reader: FormatReader; readonly marks: Marks } {
  const marks = new Marks((text) => (special.includes(text) ? special.indexOf(text) : undefined));
  let ids = 0;
  return { reader: new FormatReader({ format, marks, opened, names, tools, single, newId: () => `call_${ids++}` }), marks };
}
/** Special tokens come as their signs, as from a detokenizer. */
function signed(text: string, marks: Marks, special: readonly string[]): string {
  return special.reduce((all, mark) => all.replaceAll(mark, marks.as(mark)), text);
}
export function gathered(parts: readonly ReplyPart[]): Read {
  const calls: [string, string][] = [];
  let [said, thought] = ['', ''];
  for (const part of parts) {
    if (part.kind === 'delta') said += part.text;
    else if (part.kind === 'reasoning') thought += part.text;
    else {
      if (part.name !== undefined) {
        if (part.index !== calls.length || (part.id !== `call_${calls.length}` && !/^(?:functions\.|\d)/.test(part.id ?? ''))) throw new Error(`call ${part.index} has the id ${part.id}`);
        calls.push([part.name, '']);
      }
      calls[part.index][1] += part.arguments;
    }
  }
  return { said, thought, calls, order: joined(parts).map(({ kind }) => kind[0]).join('') };
}
export function read(format: ReplyFormat, text: string, how: How = {}, cut: (characters: readonly string[]) => readonly string[] = (all) => all): Read {
  const { reader: made, marks } = reader(format, how);
  const parts: ReplyPart[] = [];
  for (const piece of cut(Array.from(signed(text, marks, how.special ?? [])))) parts.push(...made.push(piece));
  return gathered([...parts, ...made.end()]);
}


export const THINKING = { open: '<think>', close: '</think>' };
export const formatOfCalls = (calls: CallFormat, thinks = true): ReplyFormat => ({ calls, ...(thinks ? { thinking: THINKING } : {}) });

export interface Case extends How {
  readonly title: string;
  readonly format: ReplyFormat;
  readonly text: string;
  readonly is: Partial<Read>;
}
/** Each is read as it says: whole, character by character, cut in two anywhere, and in pieces by chance. */
export function readsAll(t: Test, cases: readonly Case[]): void {
  const random = seeded(5);
  for (const { title, format, text, is, ...how } of cases) {
    const whole = read(format, text, how, (all) => [all.join('')]);
    t.match(whole, is, title);
    t.same({ ...whole, calls: undefined, ...is }, { ...whole, calls: is.calls === undefined ? undefined : whole.calls }, title);
    t.same(read(format, text, how), whole, `${title}: character by character`);
    const length = Array.from(text).length;
    for (let at = 1; at < length; at++) {
      const two = read(format, text, how, (all) => [all.slice(0, at).join(''), all.slice(at).join('')]);
      if (JSON.stringify(two) !== JSON.stringify(whole)) t.same(two, whole, `${title}: cut at ${at}`);
    }
    for (let i = 0; i < 20; i++) {
      const pieces = read(format, text, how, (all) => {
        const cuts: string[] = [''];
        for (const character of all) if (random.next() < 0.3) cuts.push(character); else cuts[cuts.length - 1] += character;
        return cuts;
      });
      if (JSON.stringify(pieces) !== JSON.stringify(whole)) t.same(pieces, whole, `${title}: random pieces`);
    }
  }
}

/** Pieces of the form that may be special tokens. */
export const marksOfForm = ({ opens, around = [], silent = [], written }: Form): string[] =>
  [...new Set([...opens, ...around, ...silent, ...written.begin, ...written.call, ...written.end].flatMap((mark) => (Array.isArray(mark) ? (mark as string[]) : [mark])))].filter((piece): piece is string => typeof piece === 'string' && /^(?:<[^<>\s=]+>|\[[A-Z_]+\]|\]<\]minimax\[>\[)$/.test(piece));
