// Owns grammars of whole replies: thoughts in front, text, and calls of functions as a format writes them, each with the arguments that its schema allows.
// Refuses to know how replies are read, and which tokens there are beyond the marks.

import { EngineError } from '../port.ts';
import type { Tool, ToolChoice } from '../port.ts';
import type { ReplyFormat, Thought } from '../replies/format.ts';
import { formOf, FORMS } from '../replies/forms.ts';
import type { Form } from '../replies/forms.ts';
import { piecesOf } from '../replies/marks.ts';
import type { Mark } from '../replies/marks.ts';
import { DEEPSEEK, FENCED, FUNCTION_GEMMA, GEMMA_4, GLM, HARMONY, HERMES, KIMI, LLAMA, MINIMAX, QWEN_CODER } from '../replies/syntax.ts';
import { characters, choice, complement, literal, NOTHING, optional, repeat, replaced, rule, sequence, token, without } from './grammar/expression.ts';
import type { Expression, Grammar } from './grammar/expression.ts';
import { schemaGrammar } from './json/json-schema.ts';
import { anyValue } from './json/texts/json-text.ts';

export interface CallGrammar {
  readonly format: ReplyFormat;
  readonly tools: readonly Tool[];
  readonly choice: Exclude<ToolChoice, 'none'>;
  /** More than one call. */
  readonly parallel: boolean;
  readonly thought: Thought;
}
/** The id of a special token; undefined for all other texts. */
export type SpecialId = (text: string) => number | undefined;

const SPACE: Expression = {
  kind: 'byte',
  ranges: [
    [9, 10],
    [13, 13],
    [32, 32],
  ],
};
const MOST_SPACE = 4;
/** Calls of one reply. */
const MOST_CALLS = 16;
const space = repeat(SPACE, 0, MOST_SPACE);

class Writer {
  readonly #special: SpecialId;
  readonly rules = new Map<string, Expression>(anyValue());
  constructor(special: SpecialId) {
    this.#special = special;
  }
  mark(mark: Mark): Expression {
    const pieces = (typeof mark === 'string' ? [mark] : mark).flatMap((text) => piecesOf(text, this.#special));
    return sequence(...pieces.map((piece) => (piece.id === undefined ? literal(piece.text) : token(piece.id))));
  }
  /** Text in which none of these marks stands. Those with special tokens in them no text holds. */
  textWithout(...marks: readonly Mark[]): Expression {
    const all = marks.map((mark) => (typeof mark === 'string' ? [mark] : mark));
    return without(
      ...all.filter((mark) => mark.every((part) => piecesOf(part, this.#special).every(({ id }) => id === undefined))).map((mark) => mark.join('')),
    );
  }
  thought({ calls, thinking }: ReplyFormat, how: Thought): Expression {
    if (!thinking || how === 'none') return NOTHING;
    const text = this.textWithout(...(calls === 'harmony' ? Object.values(HARMONY) : [thinking.close]));
    const { behind = calls === 'harmony' ? `${HARMONY.start}assistant` : undefined } = thinking;
    const rest = sequence(text, this.mark(thinking.close), behind === undefined ? space : this.mark(behind));
    return how === 'open' ? rest : optional(sequence(space, this.mark(thinking.open), rest));
  }

  /** What a call says: which function, and arguments as its schema has them. */
  calls(tools: readonly Tool[], write: (name: string, args: Expression) => Expression): Expression {
    this.rules.set('call', choice(...tools.map((tool, i) => write(tool.name, this.#arguments(tool, i)))));
    return rule('call');
  }
  #arguments(tool: Tool, i: number): Expression {
    if (tool.parameters === undefined || tool.parameters === null) return literal('{}');
    try {
      return this.#taken(schemaGrammar(ofObjects(tool.parameters)), `${i} `);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (tool.strict)
        throw new EngineError(
          'tools_invalid',
          `function ${tool.name} is strict, and its parameters cannot be kept to: ${error.message}; change them or leave out strict`,
          { cause: error },
        );
      return rule('json-object');
    }
  }
  /** The root of another grammar, whose rules come under names of their own. Those for all JSON are shared. */
  #taken({ root, rules }: Grammar, prefix: string): Expression {
    const renamed = (name: string): string => (name.startsWith('json') || name.startsWith('string ') ? name : prefix + name);
    const taken = replaced({ root, rules }, renamed);
    for (const [name, expression] of taken.rules) if (!this.rules.has(name)) this.rules.set(name, expression);
    return taken.root;
  }
}

/** Arguments are an object, also where the schema does not say so. */
function ofObjects(parameters: unknown): unknown {
  const combined = (schema: object): boolean => ['$ref', 'anyOf', 'oneOf', 'allOf', 'type', 'const', 'enum'].some((key) => key in schema);
  return typeof parameters === 'object' && parameters !== null && !combined(parameters) ? { ...parameters, type: 'object' } : parameters;
}

interface Written {
  readonly tools: readonly Tool[];
  readonly parallel: boolean;
  readonly writer: Writer;
}
/** All calls of a reply, at least one; and the marks that no text in front of them may hold. */
interface Calls {
  readonly calls: Expression;
  readonly marks: readonly Mark[];
}
const DIGITS = repeat({ kind: 'byte', ranges: [[48, 57]] }, 1, 4);

/** Calls as elements or dictionaries write them have their arguments as JSON here: their readers take it, and any schema can be kept to. */
function written(format: Exclude<ReplyFormat['calls'], 'harmony'>, { tools, parallel, writer }: Written): Calls {
  const more = (one: Expression, between: string): Expression => (parallel ? sequence(one, repeat(sequence(literal(between), one), 0, MOST_CALLS - 1)) : one);
  const object =
    (key: string) =>
    (name: string, args: Expression): Expression =>
      sequence(literal(`{"name": ${JSON.stringify(name)}, "${key}": `), args, literal('}'));
  /** `head` and `tail` around the name, and what stands behind the arguments. */
  const around = (head: string, tail: string, behind: string): Expression =>
    writer.calls(tools, (name, args) => sequence(literal(head + name + tail), args, literal(behind)));
  switch (format) {
    case 'hermes':
    case 'generic': {
      const call = writer.calls(tools, object('arguments'));
      const one = sequence(writer.mark(HERMES.open), literal('\n'), call, literal('\n'), writer.mark(HERMES.close));
      return { calls: more(one, '\n'), marks: [HERMES.open, ...(format === 'generic' ? [FENCED.open] : [])] };
    }
    // Templates of Llama refuse to show two calls of one reply.
    case 'llama':
      return { calls: writer.calls(tools, object('parameters')), marks: [LLAMA.tag] };
    case 'deepseek-v3':
    case 'deepseek-v3.1': {
      const fenced = format === 'deepseek-v3';
      const call = writer.calls(tools, (name, args) =>
        fenced ? sequence(literal(`${name}\n\`\`\`json\n`), args, literal('\n```')) : sequence(literal(name), writer.mark(DEEPSEEK.separator), args),
      );
      const one = sequence(
        writer.mark(DEEPSEEK.open),
        ...(fenced ? [literal('function'), writer.mark(DEEPSEEK.separator)] : []),
        call,
        writer.mark(DEEPSEEK.close),
      );
      return {
        calls: sequence(writer.mark(DEEPSEEK.callsOpen), more(one, fenced ? '\n' : ''), writer.mark(DEEPSEEK.callsClose)),
        marks: [DEEPSEEK.callsOpen, DEEPSEEK.open],
      };
    }
    case 'kimi-k2': {
      const call = writer.calls(tools, (name, args) => sequence(literal(`functions.${name}:`), DIGITS, writer.mark(KIMI.separator), args));
      const one = sequence(writer.mark(KIMI.open), call, writer.mark(KIMI.close));
      return { calls: sequence(writer.mark(KIMI.callsOpen), more(one, ''), writer.mark(KIMI.callsClose)), marks: [KIMI.callsOpen, KIMI.open] };
    }
    case 'qwen-coder': {
      const one = sequence(
        writer.mark(QWEN_CODER.callsOpen),
        around(`\n${QWEN_CODER.open}`, '>\n', `\n${QWEN_CODER.close}\n`),
        writer.mark(QWEN_CODER.callsClose),
      );
      return { calls: more(one, '\n'), marks: [QWEN_CODER.callsOpen, QWEN_CODER.open] };
    }
    case 'minimax-m2':
      return {
        calls: sequence(
          writer.mark(MINIMAX.callsOpen),
          literal('\n'),
          more(around(`${MINIMAX.open}"`, '">\n', `\n${MINIMAX.close}\n`), ''),
          writer.mark(MINIMAX.callsClose),
        ),
        marks: [MINIMAX.callsOpen, MINIMAX.open],
      };
    case 'glm-4.5':
      return { calls: more(sequence(writer.mark(GLM.open), around('', '\n', '\n'), writer.mark(GLM.close)), '\n'), marks: [GLM.open] };
    case 'gemma-4':
    case 'function-gemma': {
      const { open, close, responds } = format === 'gemma-4' ? GEMMA_4 : FUNCTION_GEMMA;
      return { calls: more(sequence(writer.mark(open), around('call:', '', ''), writer.mark(close)), ''), marks: [open, responds] };
    }
    default: {
      const { opens, around = [], written }: Form = FORMS[format];
      const call = writer.calls(tools, (name, args) =>
        sequence(
          ...written.call.map((piece) =>
            typeof piece === 'string' ? writer.mark(piece) : piece.of === 'name' ? literal(name) : piece.of === 'number' ? DIGITS : args,
          ),
        ),
      );
      const all = written.between === undefined ? call : more(call, written.between);
      return { calls: sequence(writer.mark(written.begin), all, writer.mark(written.end)), marks: [...opens, ...around] };
    }
  }
}

/** Messages of Harmony behind the thought: one call, with what is said before it and its arguments at the end; with `auto` also an answer alone. */
function harmony({ tools, writer }: Written, auto: boolean, thought: Thought): Expression {
  const text = writer.textWithout(...Object.values(HARMONY));
  const [channel, message, end, start] = [HARMONY.channel, HARMONY.message, HARMONY.end, HARMONY.start].map((mark) => writer.mark(mark));
  const head = sequence(channel, literal('commentary'));
  const call = writer.calls(tools, (name, args) =>
    sequence(head, literal(` to=functions.${name} `), writer.mark(HARMONY.constrain), literal('json'), message, args),
  );
  if (!auto) return call;
  const preamble = optional(sequence(head, message, text, end, start, literal('assistant')));
  const answer = sequence(channel, literal('final'), message, text);
  // Without a thought the prompt may have begun the answer.
  return choice(sequence(preamble, choice(call, answer)), ...(thought === 'none' ? [text] : []));
}

/**
 * Replies that call as `choice` asks for: with `auto` any text, and calls behind the mark that opens them; else calls alone. What a reader of the format finds in such a reply are calls of
 * these functions, with valid arguments. Throws EngineError `tools_invalid` for a strict function whose parameters cannot be kept to.
 */
export function callGrammar({ format, tools, choice: asked, parallel, thought }: CallGrammar, special: SpecialId): Grammar {
  const writer = new Writer(special);
  const named = typeof asked === 'object' ? tools.filter(({ name }) => name === asked.name) : tools;
  const before = writer.thought(format, thought);
  const given = { tools: named, parallel, writer };
  if (format.calls === 'harmony') return { root: sequence(before, harmony(given, asked === 'auto', thought)), rules: writer.rules };
  const { calls, marks } = written(format.calls, given);
  if (asked !== 'auto') return { root: sequence(before, calls), rules: writer.rules };
  const text =
    format.calls === 'llama'
      ? // A reply that begins with a brace is a call; so no other text begins with one.
        choice(
          sequence(
            repeat(SPACE, 0, Infinity),
            optional(
              sequence(
                characters(
                  complement([
                    [9, 10],
                    [13, 13],
                    [32, 32],
                    [123, 123],
                  ]),
                ),
                writer.textWithout(...marks),
              ),
            ),
          ),
          calls,
        )
      : formOf(format.calls)?.headed === true
        ? headed(writer, calls, marks, formOf(format.calls)?.answer ?? '')
        : sequence(writer.textWithout(...marks), optional(calls));
  return { root: sequence(before, text), rules: writer.rules };
}

/** Where a reply begins with a call's head and without its mark, a text has a head of its own. */
const headed = (writer: Writer, calls: Expression, [open, ...marks]: readonly Mark[], answer: Mark): Expression =>
  choice(calls, sequence(writer.mark(answer), writer.textWithout(open, ...marks), optional(sequence(writer.mark(open), calls))));

/** What opens an answer in every reply; undefined: nothing does. */
const answerMark = ({ calls }: ReplyFormat): Mark | undefined => (calls === 'harmony' ? `${HARMONY.channel}final${HARMONY.message}` : formOf(calls)?.answer);
/** What stands in front of an answer: a thought, and the mark that opens the answer; undefined: no mark does. */
export function beforeAnswer(format: ReplyFormat, thought: Thought, special: SpecialId): Grammar | undefined {
  const writer = new Writer(special);
  const mark = answerMark(format);
  return mark === undefined ? undefined : { root: sequence(writer.thought(format, thought), writer.mark(mark)), rules: new Map() };
}
/** A grammar for what is said behind a thought. */
export function behindThought({ root, rules }: Grammar, format: ReplyFormat, thought: Thought, special: SpecialId): Grammar {
  const before = beforeAnswer(format, thought, special)?.root ?? new Writer(special).thought(format, thought);
  return { root: sequence(before, root), rules };
}
