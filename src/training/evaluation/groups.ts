// Owns the groups that an evaluation keeps apart: by language, and by what training never draws (names, relations, phrasings).
// Refuses to know the tasks.

import type { Language } from '../../answers/words/evidence.ts';
import type { SampleOptions } from '../grounded/samples.ts';

export interface Group {
  readonly title: string;
  readonly options: SampleOptions & { readonly language: Language };
}
const NEW = { names: 'held-out', heldOutRelations: true, heldOutQuestions: true } as const;

/** `real`: names of somebody's graph, which make a group of their own. */
export const groups = (real: { readonly from: string; readonly names: readonly string[] } | undefined): readonly Group[] => [
  { title: 'English, new names', options: { language: 'en', names: 'held-out' } },
  { title: 'English, new names, relations and questions', options: { language: 'en', ...NEW } },
  { title: 'Chinese, new names', options: { language: 'zh', names: 'held-out' } },
  { title: 'Chinese, new names, relations and questions', options: { language: 'zh', ...NEW } },
  ...(real && real.names.length > 0
    ? [{ title: `English, real names from ${real.from} (${real.names.length})`, options: { language: 'en', names: real.names } as const }]
    : []),
];
