// Owns whom a pronoun means that is the subject of a clause, or whose something its subject is: the one name that was the subject of a fitting clause shortly before.
// Refuses to know models, and what is read in a clause. Where two could be meant, none is taken.

import { subjectIn } from './clauses.ts';

/** Longer clauses are left as they are: no model reads them. */
const CHARACTERS = 2000;
/** Sentences that are looked back at. */
const NEAR = 4;
const HAN = /\p{Script=Han}/u;
const SUBJECT = /^((?:(?:in|on|since|after|from|by|at|during)\s[^,]*,\s+|in \d{3,4},?\s+|(?:later|then|now|today|meanwhile|and|but|while|whereas|although|though),?\s+)*)(he|she|it|his|her|its)(?=\s+\p{Ll})/iu;
const SUBJECT_HAN = /^((?:并且|并|而且|而|但是|但|且|后来|随后|此后|后|最终|同时|[\d０-９]+[年月日]|[，,\s])*)([他她它])(?!们|人|乡|国|信|山)/u;
/** What is somebody's and has a name: "his wife was Constanze", not "his wife was tall" and "his mother died". */
const OWNED = /^\s+((?:\p{Ll}+\s+){0,2}\p{Ll}+)\s+(is|was)(?=\s+[\p{Lu}\p{N}])/u;
/** "His wife was Polish" tells no name. */
const OF_KIND = /\s(?:is|was)\s+\p{L}+(?:ish|ese|an|ch|ek|ss)\W*$/u;
/** "It was Ben who", "It is true that" mean nothing that was named. */
const EMPTY = /^it\s+(?:is|was)\s+(?:\S+\s+){1,5}(?:that|who|which)\b|^it\s+(?:rain|snow|seem|appear|happen)/iu;

/** What is said of places, works and institutions, so that "he" is none of them, and "it" is. */
const OF_THING = /\b(?:located|situated|lies|capital|borders|flows|published|released|filmed|opened|built|erected|species|genus|(?:is|was) an? (?:[\p{L}-]+ ){0,4}(?:city|town|village|country|state|river|lake|island|mountain|film|movie|novel|book|song|album|company|university|school|museum|language|planet)|(?:directed|written|founded|produced|designed|painted|composed|invented|discovered|owned|developed|made) by)\b|是.{0,12}(?:城市|国家|电影|小说|公司|大学|河流)|位于|首都|坐落|执导|上映|出版|发行|建于|成立|创立于|属于/iu;
/** Another person is likely named beside the subject. */
const OF_TWO = /\b(?:married|wed|student|pupil|taught|teacher|teaches|wife|husband|spouse|mother|father|parent|son|daughter|child|children|brother|sister|friend|colleague|met|loved|with|by)\b|师从|老师|学生|妻子|丈夫|配偶|父亲|母亲|儿子|女儿|孩子|子女|嫁给|结婚/u;
const NAME = /^(?:The\s)?\p{Lu}[\p{L}\p{M}\p{N}.'’-]*(?:\s(?:of|the|de|von|van|der|da|di|du|la|le|\p{Lu}[\p{L}\p{M}\p{N}.'’-]*)){0,6}$/u;
const NAME_HAN = /^(?!.*[和与跟及])[\p{Script=Han}·]{2,12}$/u;
const NO_NAME = /^(?:If|Whether|Unless|When|While|Although|Though|Because|Since|As|After|Before|In|On|At|Would|Could|Will|Can|May|Had|Has|Have|Was|Were|Is|Are|Did|Does|Do|Who|What|Which|Where|Perhaps|Maybe|He|She|It|They|We|You|I|This|That|These|Those|There|Nobody|Nothing|None|Neither|Both|Another|One|His|Her|Its|Their|My|Our)\b|^[这那该其他她它]/u;

interface Person {
  readonly name: string;
  readonly gender?: string;
  readonly at: number;
}
const genderOf = (pronoun: string): string => (/^(?:he|his|他)$/i.test(pronoun) ? 'male' : 'female');

export class Referents {
  #at = 0;
  #persons: Person[] = [];
  /** The subject of the last clause, where it is a thing. */
  #thing: string | undefined;

  /** Another sentence begins. */
  next(): void {
    this.#at++;
    this.#persons = this.#persons.filter(({ at }) => this.#at - at < NEAR);
  }

  /** The clause with a name in the place of the pronoun that is its subject, as far as one is meant; its own subject is remembered. */
  read(clause: string, labels: readonly string[]): string {
    if (clause.length > CHARACTERS) return clause;
    const [whole, lead = '', pronoun = ''] = (HAN.test(clause) ? SUBJECT_HAN : SUBJECT).exec(clause) ?? [];
    const rest = clause.slice(lead.length + pronoun.length);
    const owns = /^(?:his|her|its)$/i.test(pronoun);
    const name = whole === undefined || (owns && (!OWNED.test(rest) || OF_KIND.test(rest))) ? undefined : this.#meant(clause.slice(lead.length), pronoun);
    // "The wife of Mozart was Constanze" is what models are sure to read.
    const told = owns ? rest.replace(OWNED, (_, noun: string, be: string) => `The ${noun} of ${name} ${be}`) : `${name}${rest}`;
    // "In 1790 he won" would be read as what "In 1790 Kant" won.
    const meant = name === undefined ? clause : (/^in \d/i.test(lead) ? '' : lead) + told;
    this.#note(meant, owns ? undefined : name, labels);
    return meant;
  }

  #meant(clause: string, pronoun: string): string | undefined {
    if (/^(?:its?|它)$/i.test(pronoun)) return EMPTY.test(clause) ? undefined : this.#thing;
    const gender = genderOf(pronoun);
    const known = this.#persons.filter((person) => person.gender === undefined || person.gender === gender);
    // "Although Anna was born in Oslo, she ...": who is the subject of the same sentence comes first.
    const here = known.filter(({ at }) => at === this.#at);
    const fitting = here.length > 0 ? here : known;
    if (fitting.length !== 1) return undefined;
    const [{ name }] = fitting;
    this.#persons = this.#persons.map((person) => (person.name === name ? { name, gender, at: this.#at } : person));
    return name;
  }

  #note(clause: string, resolved: string | undefined, labels: readonly string[]): void {
    const said = resolved ?? subjectIn(clause, labels);
    // 鲁迅的职业是作家 is about 鲁迅, "Hahn's prize" about Hahn, and "Weber, a physicist," about Weber.
    const subject = said === undefined || /\sand\s|和/u.test(said) ? said : said.replace(/[,，].*$/su, '').replace(/['’]s\s\p{Ll}.*$/su, '').replace(/(?<=\p{Script=Han})的[^的]*$/u, '');
    const isName = subject !== undefined && !NO_NAME.test(subject) && (HAN.test(subject) ? NAME_HAN : NAME).test(subject);
    const isThing = OF_THING.test(clause);
    const rest = subject === undefined ? clause.slice(1) : clause.slice(clause.indexOf(subject) + subject.length);
    const others = HAN.test(clause) || /\s\p{Lu}/u.test(rest);
    this.#thing = isName && isThing ? subject : undefined;
    // Who else is named may be meant as well.
    if (others && (OF_TWO.test(clause) || !isName)) this.#persons = [];
    else if (isName && !isThing && resolved === undefined) this.#persons = [...this.#persons.filter(({ name }) => !name.includes(subject) && !subject.includes(name)), { name: this.#longer(subject), gender: this.#persons.find(({ name }) => name.includes(subject) || subject.includes(name))?.gender, at: this.#at }];
  }
  #longer(name: string): string {
    return this.#persons.find((person) => person.name.includes(name))?.name ?? name;
  }
}
