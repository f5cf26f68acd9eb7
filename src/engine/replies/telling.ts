// Owns how a model is told of tools where its chat template does not do it: the words of the system message, and calls and their answers as plain messages.
// Refuses to know templates and special tokens: what is untrusted comes here guarded.

import type { CallFormat } from './format.ts';
import { formOf, FORMS, isForm } from './forms.ts';
import type { CallPiece, FormName, WrittenForm } from './forms.ts';
import { DEEPSEEK, FUNCTION_GEMMA, GEMMA_4, GLM, HARMONY, HERMES, KIMI, MINIMAX, QWEN_CODER } from './syntax.ts';

const ARGUMENTS = '{"ARGUMENT": VALUE}';
interface Form {
  readonly how: string;
  readonly lines: readonly string[];
}
const repeated = (more = ''): string =>
  `To call one, end your answer with a block of this form; for several, repeat the part between its first and last mark${more}:`;
const BLOCKS = 'To call one, write a block of this form; for several, write several blocks:';
const dictionary = ({ open, close, quote }: { readonly open: string; readonly close: string; readonly quote: string }): Form => ({
  how: BLOCKS,
  lines: [`${open}call:NAME{ARGUMENT:VALUE,ARGUMENT:${quote}TEXT${quote}}${close}`],
});
const HERMES_FORM: Form = { how: BLOCKS, lines: [HERMES.open, `{"name": NAME, "arguments": ${ARGUMENTS}}`, HERMES.close] };
const TOLD: Readonly<Record<Exclude<CallFormat, FormName>, Form>> = {
  hermes: HERMES_FORM,
  generic: HERMES_FORM,
  llama: { how: 'To call one, answer with JSON of this form and nothing else:', lines: [`{"name": NAME, "parameters": ${ARGUMENTS}}`] },
  'deepseek-v3': {
    how: repeated(', one a line'),
    lines: [`${DEEPSEEK.callsOpen}${DEEPSEEK.open}function${DEEPSEEK.separator}NAME`, '```json', ARGUMENTS, '```' + DEEPSEEK.close + DEEPSEEK.callsClose],
  },
  'deepseek-v3.1': {
    how: repeated(),
    lines: [`${DEEPSEEK.callsOpen}${DEEPSEEK.open}NAME${DEEPSEEK.separator}${ARGUMENTS}${DEEPSEEK.close}${DEEPSEEK.callsClose}`],
  },
  'kimi-k2': {
    how: repeated(' with the next number'),
    lines: [`${KIMI.callsOpen}${KIMI.open}functions.NAME:0${KIMI.separator}${ARGUMENTS}${KIMI.close}${KIMI.callsClose}`],
  },
  harmony: {
    how: 'To call one, end your answer with a message of this form:',
    lines: [`${HARMONY.channel}commentary to=functions.NAME ${HARMONY.constrain}json${HARMONY.message}${ARGUMENTS}${HARMONY.call}`],
  },
  'qwen-coder': {
    how: BLOCKS,
    lines: [QWEN_CODER.callsOpen, `${QWEN_CODER.open}NAME>`, '<parameter=ARGUMENT>', 'VALUE', '</parameter>', QWEN_CODER.close, QWEN_CODER.callsClose],
  },
  'minimax-m2': {
    how: repeated(),
    lines: [MINIMAX.callsOpen, `${MINIMAX.open}"NAME">`, '<parameter name="ARGUMENT">VALUE</parameter>', MINIMAX.close, MINIMAX.callsClose],
  },
  'glm-4.5': { how: BLOCKS, lines: [`${GLM.open}NAME`, `${GLM.key}ARGUMENT</arg_key>`, '<arg_value>VALUE</arg_value>', GLM.close] },
  'gemma-4': dictionary(GEMMA_4),
  'function-gemma': dictionary(FUNCTION_GEMMA),
};

/** What stands in the place of a name, arguments and a number; `parts` where they are a call's own. */
const filled = (call: readonly CallPiece[], parts: Readonly<Record<'name' | 'arguments' | 'number', string>>): string =>
  call.map((piece) => (typeof piece === 'string' ? piece : parts[piece.of])).join('');
function described({ begin, call, between, end }: WrittenForm): Form {
  const how =
    between === undefined
      ? 'To call one, end your answer with this, and nothing behind it:'
      : `To call one, end your answer with this; for several, write the calls one after another${between.trim() === '' ? '' : ` with ${JSON.stringify(between)} between them`}:`;
  return { how, lines: [begin.join('') + filled(call, { name: 'NAME', arguments: ARGUMENTS, number: '1' }) + end.join('')] };
}
/** Calls in the model's own form, for templates that do not show them; undefined: the form is not described. */
export function callsWritten(format: CallFormat, calls: readonly { readonly name: string; readonly arguments: string }[]): string | undefined {
  const written = formOf(format)?.written;
  if (!written) return undefined;
  const all = calls.map((call, i) => filled(written.call, { ...call, number: String(i) }));
  return written.begin.join('') + all.join(written.between ?? '\n') + written.end.join('');
}

/** `signatures`: the tools' JSON, one each. */
export function toolsTold(format: CallFormat, signatures: readonly string[]): string {
  const { how, lines } = isForm(format) ? described(FORMS[format].written) : TOLD[format];
  const head = [
    'You can call functions to answer the user. These are the functions, each with a JSON Schema of its arguments:',
    '<tools>',
    ...signatures,
    '</tools>',
    '',
  ];
  return [...head, how, ...lines, '', 'Call a function only when it helps; its result is then given to you. Otherwise answer in words.'].join('\n');
}

/** A call in the words of an assistant. `args`: JSON. */
export const callTold = (name: string, args: string): string => `${HERMES.open}\n{"name": ${name}, "arguments": ${args}}\n${HERMES.close}`;
/** A call's answer in the words of a user. */
export const answerTold = (answer: string): string => `<tool_response>\n${answer}\n</tool_response>`;
