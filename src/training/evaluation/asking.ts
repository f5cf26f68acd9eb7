// Owns putting one question of an evaluation to a model, and many side by side.
// Refuses to know what is asked and what a right reply is.

import type { ChatMessage, ConstraintSpec, Engine } from '../../engine/port.ts';

export interface Asked {
  readonly messages: readonly (ChatMessage & { readonly trusted?: boolean })[];
  readonly maxTokens: number;
  readonly constraint?: ConstraintSpec;
}

/** The model's greedy reply; what goes wrong stands in it in brackets, and is a wrong reply like any other. */
export async function replyOf(engine: Engine, model: string, { messages, maxTokens, constraint }: Asked): Promise<string> {
  let text = '';
  try {
    const sampling = { temperature: 0, topP: 1 };
    for await (const event of engine.generate({
      model,
      prompt: { kind: 'chat', thinking: false, messages: [...messages] },
      sampling,
      maxTokens,
      stop: [],
      ...(constraint ? { constraint } : {}),
    })) {
      if (event.kind === 'delta') text += event.text;
      else if (event.kind === 'error') return `${text} [${event.error.message}]`;
    }
  } catch (error) {
    return `${text} [${error instanceof Error ? error.message : String(error)}]`;
  }
  return text;
}

/** Results in the order of the items, `atOnce` of them being made at a time. */
export async function sideBySide<T, R>(items: readonly T[], atOnce: number, make: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const [i, item] of queue) results[i] = await make(item);
    }),
  );
  return results;
}

export const share = (part: number, whole: number): string => (whole === 0 ? 'none' : `${((100 * part) / whole).toFixed(1)}% of ${whole}`);
/** A table in Markdown; the first column is text. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
