// Owns what tokens of N3, Jena and RDFox rules look like.
// Refuses to know their grammars.

import type { SourceToken, TokenPatterns } from './source-tokens.ts';

export type RdfToken = SourceToken;
const LABEL = '[\\p{L}\\p{N}_](?:[\\p{L}\\p{M}\\p{N}_.-]*[\\p{L}\\p{M}\\p{N}_-])?';
const ESCAPED = '\\\\[_~.!$&\'()*+,;=/?#@%-]';
const LOCAL = `(?:[\\p{L}\\p{N}_%]|${ESCAPED})(?:(?:[\\p{L}\\p{M}\\p{N}_.:%-]|${ESCAPED})*(?:[\\p{L}\\p{M}\\p{N}_%-]|${ESCAPED}))?`;
const IRI = /<((?:[^<>"{}|^`\\\s]|\\u[\da-fA-F]{4}|\\U[\da-fA-F]{8})*)>/uy;
/** Of N3 and Jena rules. */
export const RDF_PATTERNS: TokenPatterns = [
  ['skip', /[\s\uFEFF]+|#[^\n]*|\/\/[^\n]*/uy],
  ['iri', IRI],
  ['variable', /\?([\p{L}_][\p{L}\p{M}\p{N}_]*)/uy],
  ['blank', new RegExp(`_:(${LABEL})`, 'uy')],
  ['directive', /@(prefix|base|include)\b/uy],
  ['language', /@([a-zA-Z]+(?:-[a-zA-Z0-9]+)*)/uy],
  ['number', /[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/uy],
  ['prefixed', new RegExp(`((?:[\\p{L}](?:[\\p{L}\\p{M}\\p{N}_.-]*[\\p{L}\\p{M}\\p{N}_-])?)?:(?:${LOCAL})?)`, 'uy')],
  ['word', /([\p{L}_][\p{L}\p{M}\p{N}_-]*)/uy],
  ['text', /"""((?:[^"\\]|\\.|"(?!""))*)"""|'''((?:[^'\\]|\\.|'(?!''))*)'''|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'/uy],
  ['sign', /=>|<=|->|<-|\^\^|[{}()[\].;,:=!^|]/uy],
];
/** Of RDFox's Datalog, whose filters are SPARQL's: signs of arithmetic stand by themselves. */
export const RDFOX_PATTERNS: TokenPatterns = [
  ['skip', /[\s\uFEFF]+|#[^\n]*/uy],
  ['iri', IRI],
  ['variable', /[?$]([\p{L}_][\p{L}\p{M}\p{N}_]*)/uy],
  ['sign', /:-/uy],
  ...RDF_PATTERNS.filter(([kind]) => kind === 'blank' || kind === 'directive' || kind === 'language'),
  ['number', /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/uy],
  ...RDF_PATTERNS.filter(([kind]) => kind === 'prefixed' || kind === 'word' || kind === 'text'),
  ['sign', /\^\^|&&|\|\||!=|<=|>=|[{}()[\].;,:=<>!+*/-]/uy],
];
