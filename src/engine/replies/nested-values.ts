// Owns values that are written as elements within elements, and what they are in JSON (MiniMax M3).
// Refuses to know the call around them.

import { alternatives, jsonOf, parameterSchema, quoted, typesOf } from './values.ts';

export interface NestedForm {
  /** In front of the name of an element. */
  readonly open: string;
  readonly nameEnd: string;
  /** The mark behind an element of this name. */
  readonly closeOf: (name: string) => string;
  /** What stands in the place of a parameter's name at the end of a call. */
  readonly end: string;
  /** The name of a list's elements. */
  readonly item: string;
}
const MOST_DEPTH = 64;

/** Is an element of this name open at the end of the text? */
export function isOpen(text: string, { open, nameEnd, closeOf }: NestedForm, name: string): boolean {
  const count = (mark: string): number => text.split(mark).length - 1;
  return count(open + name + nameEnd) > count(closeOf(name));
}

interface Element {
  readonly name: string;
  readonly text: string;
}
/** The elements of which a text is made, with nothing but space around them; undefined: it is made of something else. */
function elementsOf(text: string, form: NestedForm): readonly Element[] | undefined {
  const found: Element[] = [];
  let rest = text.trimStart();
  while (rest !== '') {
    const named = rest.indexOf(form.nameEnd, form.open.length);
    if (!rest.startsWith(form.open) || named < 0) return undefined;
    const name = rest.slice(form.open.length, named);
    const [start, close] = [named + form.nameEnd.length, form.closeOf(name)];
    let end = rest.indexOf(close, start);
    while (end >= 0 && isOpen(rest.slice(start, end), form, name)) end = rest.indexOf(close, end + close.length);
    if (end < 0) return undefined;
    found.push({ name, text: rest.slice(start, end) });
    rest = rest.slice(end + close.length).trimStart();
  }
  return found.length === 0 ? undefined : found;
}

/** The JSON of a value. Elements are a list where all are its items and the schema does not speak of an object alone, else an object. */
export function nestedJson(text: string, form: NestedForm, schema: unknown, root: unknown, depth = 0): string {
  const types = typesOf(schema, root);
  const elements = depth > MOST_DEPTH ? undefined : elementsOf(text, form);
  if (!elements) return text.trim() === '' && types?.has('string') !== true ? emptyOf(types) : jsonOf(text, types);
  const all = alternatives(schema, root);
  if (elements.every(({ name }) => name === form.item) && (types === undefined || types.has('array'))) {
    const item = all.find((each) => 'items' in each)?.['items'];
    return `[${elements.map((each) => nestedJson(each.text, form, item, root, depth + 1)).join(', ')}]`;
  }
  const schemaOf = (name: string): unknown => all.map((each) => parameterSchema(each, name)).find((each) => each !== undefined);
  return `{${elements.map((each) => `${quoted(each.name)}: ${nestedJson(each.text, form, schemaOf(each.name), root, depth + 1)}`).join(', ')}}`;
}
/** Nothing is written of an empty list or object. */
const emptyOf = (types: ReadonlySet<string> | undefined): string => (types?.has('array') === true ? '[]' : types?.has('object') === true ? '{}' : '""');
