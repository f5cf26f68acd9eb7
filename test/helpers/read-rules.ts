// Owns looking at what a reader of rules gave: the texts of the rules, and kind and place of the mistakes.
// Refuses to know formats.

import type { RuleError } from '../../graph/reason/errors.ts';
import type { ReadRules } from '../../graph/reason/language/parse.ts';

export const textsOf = ({ rules }: ReadRules): string[] => rules.map(({ text }) => text);
export const mistakesOf = ({ errors }: ReadRules): (string | number)[][] => errors.map(({ code, line, column }: RuleError) => [code, line, column]);
