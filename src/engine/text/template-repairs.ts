// Owns what chat templates write that @huggingface/jinja does not know, and the same in words that it knows.
// Refuses to know messages and models.

/** Lists that a namespace holds change in place; here each change makes another list (Kimi K2). */
const APPEND = /\{%(-?)\s*set\s+\w+\s*=\s*(\w+(?:\.\w+)+)\.append\(([^()]*)\)\s*(-?)%\}/g;
const POP = /\{%(-?)\s*set\s+(\w+)\s*=\s*(\w+(?:\.\w+)+)\.pop\(0\)\s*(-?)%\}/g;
/** An object whose keys are numbers is a list of pairs here: sorted it is the same, looked up by number nothing is found (Seed-OSS, in what it says of budgets of thinking). */
const BY_NUMBER = /\{%(-?)\s*set\s+(\w+)\s*=\s*\{((?:\s*\d+\s*:\s*\d+\s*,?)+\s*)\}\s*(-?)%\}/g;
const PAIR = /(\d+)\s*:\s*(\d+)/g;
/** A text with a name put into it (Hunyuan). */
const FORMATTED = /'([^'{}]*)\{\}([^'{}]*)'\.format\((\w+)\)/g;

export function repaired(source: string): string {
  const names: string[] = [];
  const listed = source.replaceAll(BY_NUMBER, (_, before: string, name: string, pairs: string, behind: string) => {
    names.push(name);
    return `{%${before} set ${name} = [${pairs.replaceAll(PAIR, '[$1, $2]')}] ${behind}%}`;
  });
  return names
    .reduce((text, name) => text.replaceAll(new RegExp(`\\b${name}\\s*\\|\\s*dictsort\\b`, 'g'), name), listed)
    .replaceAll(FORMATTED, "('$1' + $3 + '$2')")
    .replaceAll(APPEND, '{%$1 set $2 = $2 + [$3] $4%}')
    .replaceAll(POP, '{%$1 set $2 = $3[0] -%}{%- set $3 = $3[1:] $4%}');
}
