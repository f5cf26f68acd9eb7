// Owns made-up names of every kind, so that a model can only learn to copy them.
// Refuses to know facts and sentences.

import type { Random } from '../random.ts';

const ONSETS = 'b br c ch d dr f fl g gr h j k kr l m n p pr qu r s sh sk st t th tr v w y z sch gn ph ts x bl cl sl sm sn sp sw tw wh'.split(' ');
const VOWELS = 'a e i o u a e i o ai ee ou ia ie au ei oo y é ö ü á í ó ñe ça ø ä'.split(' ');
const CODAS = ['', '', '', 'n', 'r', 's', 'l', 't', 'm', 'k', 'd', 'ck', 'll', 'nd', 'rt', 'st', 'x', 'ng', 'ns', 'tz', 'nn', 'ch', 'th', 'p', 'rd'];
const WORDS =
  'the of and in on a night day love house man woman girl boy king queen last first blue red black white golden lost dead living city river mountain road street dream time world war peace heart eyes hand fire water wind rain snow summer winter spring star moon sun sky sea ocean island garden forest tree flower bird wolf dog cat horse lion tiger bear secret story song dance music game play life death child children father mother brother sister friend stranger ghost shadow light dark return rise fall end beginning escape journey voyage hunter killer spy doctor teacher master captain prince princess angel devil god hell heaven paradise kingdom empire tower castle bridge door window room box ring sword gun knife gold silver diamond stone iron glass paper letter book diary number seven three two one hundred thousand million big little great small long short old new young wild free broken hidden silent beautiful crazy happy sad good bad evil strange perfect simple dirty sweet bitter deep high under over between behind beyond before after never always forever again tomorrow yesterday tonight morning evening midnight hour year years days against without for with from to is are was not no my your our his her their who what where when why how all about human mortal animal plant metal physics chemistry mathematics biology philosophy medicine law history art drama comedy science engineer poet writer actor singer painter student professor company bank school university hospital market station airport village town country state river lake north south east west greek german french english chinese latin roman italian spanish russian japanese'.split(
    ' ',
  );
const GIVEN = 'Albert Marie Isaac Ada Alan Grace Nikola Rosa Anna Maria John Mary James Emma Liam Olivia Noah Sofia Lucas Mia Peter Paul George Alice Bob Carol Diana Victor Hugo Clara Leo Max Eva Ivan Olga Igor Sven Lars Ingrid Yuki Kenji Wei Ming Li Chen Omar Fatima Ali Aisha José Carlos Ana Luis Elena Marco Giulia Pierre Claire Jean Sophie Hans Greta Tom Tim Sam Max Kate Lucy Helen Ruth David Daniel Michael Thomas William Robert Charles Henry Edward Arthur Walter Frank Fred Jack Joe Ben Dan Steve Mark Luke'.split(' ');
const FAMILY = 'Einstein Curie Newton Lovelace Turing Hopper Tesla Smith Jones Brown Taylor Wilson Davis Clark Lewis Walker Hall Young King Wright Hill Scott Green Adams Baker Nelson Carter Mitchell Roberts Turner Phillips Campbell Parker Evans Edwards Collins Stewart Morris Rogers Reed Cook Morgan Bell Murphy Bailey Cooper Richardson Cox Howard Ward Peterson Gray Ramirez Watson Brooks Kelly Sanders Price Bennett Wood Barnes Ross Henderson Coleman Jenkins Perry Powell Long Patterson Hughes Flores Müller Schmidt García López Rossi Bianchi Dubois Laurent Ivanov Petrov Tanaka Suzuki Wang Zhang Liu Yang Huang Zhao Wu Zhou'.split(' ');

/** The 3,755 most used simplified characters: level 1 of GB 2312 (rows 16 to 55). */
const HAN: readonly string[] = (() => {
  const decoder = new TextDecoder('gbk');
  const all: string[] = [];
  for (let row = 0xb0; row <= 0xd7; row++)
    for (let cell = 0xa1; cell <= 0xfe; cell++) {
      const character = decoder.decode(Uint8Array.of(row, cell));
      if (/^\p{Script=Han}$/u.test(character)) all.push(character);
    }
  return all;
})();
const FOREIGN_HAN = [...'阿尔伯特斯坦因玛丽居里牛顿约翰史密德克拉罗马巴米亚历山大卡洛尼夫维奇莱昂诺贝格林汉弗雷姆森安娜索菲娅汤迈迪'];

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
export function nonce(random: Random, syllables = random.int(1, 4)): string {
  let word = '';
  for (let i = 0; i < syllables; i++) word += random.pick(ONSETS) + random.pick(VOWELS) + (i === syllables - 1 || random.chance(0.3) ? random.pick(CODAS) : '');
  return word;
}
const person = (random: Random): string => {
  const given = random.chance(0.4) ? random.pick(GIVEN) : capital(nonce(random, random.int(1, 3)));
  const family = random.chance(0.3) ? random.pick(FAMILY) : capital(nonce(random, random.int(1, 3)));
  const middle = random.chance(0.15) ? `${random.pick([...'ABCDEFGHJKLMNPRSTVW'])}. ` : random.chance(0.1) ? `${random.pick(['de', 'van', 'von', "O'", 'al-', 'Mc', 'St.'])} ` : '';
  const tail = random.chance(0.05) ? random.pick([' Jr.', ' III', ' II', ' Sr.']) : '';
  return `${given} ${middle}${family}${tail}`;
};
const word = (random: Random): string => (random.chance(0.75) ? random.pick(WORDS) : nonce(random));
const title = (random: Random): string => {
  const words = Array.from({ length: random.int(1, 5) }, () => capital(word(random)));
  let text = words.join(' ');
  if (random.chance(0.25)) text = `The ${text}`;
  if (random.chance(0.08)) text += `: ${capital(word(random))} ${capital(word(random))}`;
  if (random.chance(0.08)) text += ` ${random.int(2, 13)}`;
  if (random.chance(0.05)) text += random.pick(['!', '?', '...', ' (remake)', ' – Part II', " 'n' Roll", ', Inc.', ' & Co.']);
  if (random.chance(0.05)) text = text.replace(/s\b/, "'s");
  return text;
};
const date = (random: Random): string => {
  const year = random.int(1000, 2035);
  if (random.chance(0.6)) return String(year);
  return `${year}-${String(random.int(1, 12)).padStart(2, '0')}-${String(random.int(1, 28)).padStart(2, '0')}`;
};
const number = (random: Random): string => {
  const shape = random.int(0, 3);
  if (shape === 0) return String(random.int(0, 99));
  if (shape === 1) return String(random.int(0, 10_000_000));
  if (shape === 2) return `${random.int(0, 9999)}.${random.int(0, 99)}`;
  return `-${random.int(1, 500)}`;
};
const code = (random: Random): string => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./\'"`()#+';
  return Array.from({ length: random.int(2, 9) }, () => letters[random.int(0, letters.length - 1)]).join('').trim();
};
const han = (random: Random): string => {
  if (random.chance(0.25)) {
    const part = (): string => Array.from({ length: random.int(2, 4) }, () => random.pick(FOREIGN_HAN)).join('');
    return random.chance(0.6) ? `${part()}·${part()}` : part();
  }
  return Array.from({ length: random.int(1, 5) }, () => random.pick(HAN)).join('') + (random.chance(0.1) ? random.pick(['公司', '大学', '市', '省', '国', '河', '山', '语']) : '');
};

/** A fresh name: people, titles, words, dates, numbers, codes; mostly Han for Chinese. */
export function randomName(random: Random, language: 'en' | 'zh'): string {
  if (language === 'zh' && random.chance(0.75)) return han(random);
  const kind = random.next();
  if (kind < 0.3) return person(random);
  if (kind < 0.55) return title(random);
  if (kind < 0.7) return random.chance(0.5) ? word(random) : capital(nonce(random));
  if (kind < 0.8) return date(random);
  if (kind < 0.86) return number(random);
  if (kind < 0.92) return `${random.int(2, 400)} more`;
  if (kind < 0.97) return code(random);
  return `${word(random)} ${word(random)}`;
}
