// Owns how the names of rules that stand for declarations and schemas read in Chinese.
// Refuses to know rules; a name of any other form stays as it is.

const Q = '"([^"]*)"';
const FORMS: readonly (readonly [RegExp, string])[] = (
  [
    [`${Q} is symmetric`, '“$1”是对称关系'],
    [`${Q} is transitive`, '“$1”是传递关系'],
    [`${Q} is asymmetric`, '“$1”是非对称关系'],
    [`${Q} is irreflexive`, '“$1”是非自反关系'],
    [`${Q} is the inverse of ${Q}`, '“$1”是“$2”的逆关系'],
    [`${Q} is a sub-?property of ${Q}`, '“$1”是“$2”的子关系'],
    [`${Q} is equivalent to ${Q}`, '“$1”等价于“$2”'],
    [`${Q} and ${Q} are the same property`, '“$1”与“$2”是同一关系'],
    [`${Q} is a subclass of ${Q}`, '“$1”是“$2”的子类'],
    [`${Q} and ${Q} are the same class`, '“$1”与“$2”是同一类'],
    [`${Q} is what ${Q} is not`, '“$1”是“$2”的补'],
    [`what has ${Q} is a ${Q}`, '具有“$1”的是“$2”'],
    [`what ${Q} leads to is a ${Q}`, '“$1”所指的是“$2”'],
    [`${Q} has one object for each subject`, '“$1”对每个主体只有一个客体'],
    [`${Q} has one subject for each object`, '“$1”对每个客体只有一个主体'],
    [`${Q} and ${Q} are disjoint`, '“$1”与“$2”互斥'],
    [`all of ${Q} is known`, '“$1”已全部知晓'],
  ] as const
).map(([form, chinese]) => [new RegExp(`^([\\w, -]+: )?${form}$`, 'u'), chinese]);

/** The name in Chinese, where it is one that a declaration or a rule set gives. What a rule set calls its rule stays before it. `called`: how the relations in it are called. */
export function chineseRuleName(name: string, called: (relation: string) => string = (relation) => relation): string {
  for (const [form, chinese] of FORMS) {
    const found = form.exec(name);
    if (found) return (found[1] ?? '') + chinese.replace(/\$(\d)/gu, (_, place: string) => called(found[Number(place) + 1]));
  }
  return name;
}
