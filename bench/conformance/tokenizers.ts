// Owns trying Pharos' tokenizers on llama.cpp's vectors: texts and the ids that Hugging Face's own tokenizers give them, for each vocabulary that the suite has.
// Refuses to know how vocabularies are read: a vocabulary is a tokenizer.json, converted in memory where the suite has it in GGUF.

import { existsSync, readFileSync } from 'node:fs';
import { EncoderTokens, encoderTokenizerSchema } from '../../src/engine/encoder/tokens.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { options } from '../common/machine.ts';
import { metadataOf } from './llama/gguf.ts';
import { llamaSource } from './llama/source.ts';
import { splittings, tokenizerOf } from './llama/vocabulary.ts';
import { Outcomes, told } from './outcomes.ts';

const { llama, data } = options({ llama: '', data: process.env['PHAROS_OUTSIDE'] ?? '' });
const source = llamaSource(llama);
const table = splittings(source.text('src/llama-vocab.cpp'));
const groups = new Map<string, Outcomes>();

interface Vector {
  readonly text: string;
  readonly ids: readonly number[];
}
/** Every text is followed by the mark, the last one too. */
function vectorsOf(inputs: string, outputs: string): Vector[] {
  const texts = inputs.split('\n__ggml_vocab_test__\n').slice(0, -1);
  return texts.map((text, i) => ({ text, ids: (outputs.split('\n')[i] ?? '').trim().split(/\s+/).filter((id) => id !== '').map(Number) }));
}
const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);

function tryDecoder(name: string, file: unknown, vectors: readonly Vector[]): void {
  const outcomes = new Outcomes();
  groups.set(name, outcomes);
  const tokenizer = new ModelTokenizer(tokenizerSchema.parse(file));
  const textOf = (tokens: readonly number[]): string => {
    const detokenizer = tokenizer.detokenizer();
    return tokens.map((id) => detokenizer.push(id)).join('');
  };
  // Vocabularies of SentencePiece put a space in front of every text but the empty one.
  const front = textOf(tokenizer.encodePlain('a')) === ' a' ? ' ' : '';
  for (const { text, ids } of vectors) {
    const special = ids.some((id) => tokenizer.isSpecial(id));
    const given = special ? tokenizer.encodeTrusted(text) : tokenizer.encodePlain(text);
    outcomes.same(`ids of ${shown(text)}`, given, ids);
    if (!special) outcomes.same(`text of the ids of ${shown(text)}`, textOf(ids), text === '' ? '' : front + text);
  }
}
function tryEncoder(name: string, file: unknown, vectors: readonly Vector[]): void {
  const outcomes = new Outcomes();
  groups.set(name, outcomes);
  const tokens = new EncoderTokens(encoderTokenizerSchema.parse(file));
  for (const { text, ids } of vectors) outcomes.same(`ids of ${shown(text)}`, tokens.first(text, { limit: 1e6, truncate: false, name: 'input' }), ids);
}
function skipped(name: string, reason: string): void {
  const outcomes = new Outcomes();
  outcomes.skip(name, reason);
  groups.set(name, outcomes);
}

const NAMES = ['aquila', 'baichuan', 'bert-bge', 'command-r', 'deepseek-coder', 'deepseek-llm', 'falcon', 'gemma-4', 'gpt-2', 'gpt-neox', 'llama-bpe', 'llama-spm', 'mpt', 'nomic-bert-moe', 'phi-3', 'qwen2', 'qwen35', 'refact', 'starcoder'];
const pathOf = (name: string, end = ''): string => `models/ggml-vocab-${name}.gguf${end}`;
const vectorsFor = (name: string): Vector[] => vectorsOf(source.text(pathOf(name, '.inp')), source.text(pathOf(name, '.out')));
for (const name of NAMES) {
  if (!source.has(pathOf(name))) skipped(name, 'the suite has no such vocabulary');
  else if (!source.has(pathOf(name, '.inp'))) skipped(name, 'the suite has the vocabulary and no vectors for it');
  else {
    const converted = tokenizerOf(metadataOf(source.bytes(pathOf(name))), table);
    if (converted.kind === 'none') skipped(name, converted.reason);
    else (converted.kind === 'encoder' ? tryEncoder : tryDecoder)(name, converted.file, vectorsFor(name));
  }
}
// The same vectors on files that were published as tokenizer.json.
for (const [file, name] of [['llama2', 'llama-spm'], ['phi-3-mini', 'phi-3']] as const) {
  const path = `${data}/weights/tokenizers/${file}/tokenizer.json`;
  if (data !== '' && existsSync(path)) tryDecoder(`${file}/tokenizer.json`, JSON.parse(readFileSync(path, 'utf8')), vectorsFor(name));
}

const fine = told(`Tokenizers, against llama.cpp ${source.commit}: models/ggml-vocab-*.gguf.inp and .out`, groups);
process.exitCode = fine ? 0 : 1;
