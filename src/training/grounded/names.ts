// Owns made-up names of every kind, so that a model can only learn to copy them.
// Refuses to know facts and sentences.

import type { Random } from '../random.ts';

/** What names are made of. The two lexicons share no word, no syllable and no Han character. */
interface Lexicon {
  readonly onsets: readonly string[];
  readonly vowels: readonly string[];
  readonly words: readonly string[];
  readonly given: readonly string[];
  readonly family: readonly string[];
  readonly han: readonly string[];
  readonly foreignHan: readonly string[];
}
export type NamePool = 'training' | 'held-out';

const list = (text: string): readonly string[] => text.trim().split(/\s+/);
const CODAS = ['', '', '', 'n', 'r', 's', 'l', 't', 'm', 'k', 'd', 'ck', 'll', 'nd', 'rt', 'st', 'x', 'ng', 'ns', 'tz', 'nn', 'ch', 'th', 'p', 'rd'];

/** Simplified characters of GB 2312 in rows `from` to `to`: level 1 (3,755 most used) is 0xb0 to 0xd7, level 2 is 0xd8 to 0xf7. */
function gb2312(from: number, to: number): readonly string[] {
  const decoder = new TextDecoder('gbk');
  const all: string[] = [];
  for (let row = from; row <= to; row++)
    for (let cell = 0xa1; cell <= 0xfe; cell++) {
      const character = decoder.decode(Uint8Array.of(row, cell));
      if (/^\p{Script=Han}$/u.test(character)) all.push(character);
    }
  return all;
}
const LEVEL_1 = gb2312(0xb0, 0xd7);
const LEVEL_2 = gb2312(0xd8, 0xf7);

export const LEXICONS: Readonly<Record<NamePool, Lexicon>> = {
  training: {
    onsets: list('b br c ch d dr f fl g gr h j k kr l m n p pr qu r s sh sk st t th tr v w y z sch gn ph ts x bl cl sl sm sn sp sw tw wh'),
    vowels: list('a e i o u a e i o ai ee ou ia ie au ei oo y é ö ü á í ó ñe ça ø ä'),
    words: list(
      'the of and in on a night day love house man woman girl boy king queen last first blue red black white golden lost dead living city river mountain road street dream time world war peace heart eyes hand fire water wind rain snow summer winter spring star moon sun sky sea ocean island garden forest tree flower bird wolf dog cat horse lion tiger bear secret story song dance music game play life death child children father mother brother sister friend stranger ghost shadow light dark return rise fall end beginning escape journey voyage hunter killer spy doctor teacher master captain prince princess angel devil god hell heaven paradise kingdom empire tower castle bridge door window room box ring sword gun knife gold silver diamond stone iron glass paper letter book diary number seven three two one hundred thousand million big little great small long short old new young wild free broken hidden silent beautiful crazy happy sad good bad evil strange perfect simple dirty sweet bitter deep high under over between behind beyond before after never always forever again tomorrow yesterday tonight morning evening midnight hour year years days against without for with from to is are was not no my your our his her their who what where when why how all about human mortal animal plant metal physics chemistry mathematics biology philosophy medicine law history art drama comedy science engineer poet writer actor singer painter student professor company bank school university hospital market station airport village town country state river lake north south east west greek german french english chinese latin roman italian spanish russian japanese',
    ),
    given: list('Albert Marie Isaac Ada Alan Grace Nikola Rosa Anna Maria John Mary James Emma Liam Olivia Noah Sofia Lucas Mia Peter Paul George Alice Bob Carol Diana Victor Hugo Clara Leo Max Eva Ivan Olga Igor Sven Lars Ingrid Yuki Kenji Wei Ming Li Chen Omar Fatima Ali Aisha José Carlos Ana Luis Elena Marco Giulia Pierre Claire Jean Sophie Hans Greta Tom Tim Sam Max Kate Lucy Helen Ruth David Daniel Michael Thomas William Robert Charles Henry Edward Arthur Walter Frank Fred Jack Joe Ben Dan Steve Mark Luke'),
    family: list('Einstein Curie Newton Lovelace Turing Hopper Tesla Smith Jones Brown Taylor Wilson Davis Clark Lewis Walker Hall Young King Wright Hill Scott Green Adams Baker Nelson Carter Mitchell Roberts Turner Phillips Campbell Parker Evans Edwards Collins Stewart Morris Rogers Reed Cook Morgan Bell Murphy Bailey Cooper Richardson Cox Howard Ward Peterson Gray Ramirez Watson Brooks Kelly Sanders Price Bennett Wood Barnes Ross Henderson Coleman Jenkins Perry Powell Long Patterson Hughes Flores Müller Schmidt García López Rossi Bianchi Dubois Laurent Ivanov Petrov Tanaka Suzuki Wang Zhang Liu Yang Huang Zhao Wu Zhou'),
    // One in ten of the rarer characters' first half, so that spelling a character by its bytes is learnt too.
    han: [...LEVEL_1, ...LEVEL_2.filter((_, i) => i % 8 === 0)],
    foreignHan: Array.from('阿尔伯特斯坦因玛丽居里牛顿约翰史密德克拉罗马巴米亚历山大卡洛尼夫维奇莱昂诺贝格林汉弗雷姆森安娜索菲娅汤迈迪'),
  },
  'held-out': {
    onsets: list('zh spl spr scr shr thr dw kv vl zb pf ps kn wr phl mb nd ng gl cz squ dh bh'),
    vowels: list('ae oa ue ui eu ow aw ew iou ï ê ô ã õ š ő ú ı ū ă'),
    words: list(
      'avalanche badger balloon barley blossom butterfly cabbage candle cathedral chamber cherry chimney cinnamon cobweb copper coral cradle crimson crystal dagger dolphin dragonfly drifter drum dusk eagle echo ember falcon feather ferry fiddle flamingo fog fountain foxglove furnace gallery gardener glacier goblin granite grasshopper gypsy harbour harvest hawthorn hermit hollow hornet hurricane indigo ivory ivy jasmine jigsaw juniper kettle kite labyrinth lagoon lantern lavender ledger lighthouse lilac locust lullaby magnet magnolia mammoth maple marble marsh meadow merchant meteor midsummer mirror monsoon nectar nightingale nutmeg oak oasis opal orchard otter owl oyster parade parrot peacock pebble pelican pepper pilgrim pirate plum poppy prairie pumpkin quarry quartz raven reef rehearsal reindeer rhubarb ribbon riddle rooster saffron sandal sapphire scarlet seagull shepherd silk sparrow spindle squirrel stallion stork sycamore tapestry tempest thistle thunder tornado tractor trumpet tulip turquoise twilight umbrella valley vanilla velvet violin volcano walnut walrus weasel whale willow windmill wizard yarrow zeppelin',
    ),
    given: list('Winston Beatrix Ludwig Wolfgang Mahatma Thelonious Agatha Virginia Oscar Emily Florence Rosalind Nelson Sigmund Søren Björk Astrid Zoë Quentin Akira Hayao Satyajit Pedro Ridley Stanley Alfred Orson Buster Greer Ginger Humphrey Audrey Denzel Keanu Uma Viggo Cate Penélope Javier Benicio Chiwetel Lupita Saoirse Siobhán Niamh Rajesh Priya Chinua Wangari Nguyễn Thị Dmitri Svetlana Anatoly Zbigniew Krzysztof'),
    family: list('Churchill Beethoven Mozart Gandhi Monk Christie Woolf Wilde Brontë Nightingale Franklin Mandela Freud Kierkegaard Guðmundsdóttir Lindgren Tarantino Kurosawa Miyazaki Almodóvar Kubrick Hitchcock Welles Keaton Garson Bogart Hepburn Washington Thurman Mortensen Blanchett Bardem Cruz Ejiofor Nyong Ronan Chatterjee Chopra Achebe Maathai Shostakovich Rachmaninoff Brzeziński Kieślowski Wojciechowski Fröbe Hawn LaPaglia Szymanowski Dvořák Janáček Çelik Øvergaard Ångström Hawking Feynman Schrödinger Heisenberg Ramanujan Vonnegut Szilárd'),
    han: LEVEL_2.filter((_, i) => i % 8 !== 0),
    foreignHan: LEVEL_2.filter((_, i) => i % 48 === 5),
  },
};

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
/** A word that does not exist. */
export function nonce(random: Random, syllables = random.int(1, 4), pool: NamePool = 'training'): string {
  const { onsets, vowels } = LEXICONS[pool];
  let made = '';
  for (let i = 0; i < syllables; i++) made += random.pick(onsets) + random.pick(vowels) + (i === syllables - 1 || random.chance(0.3) ? random.pick(CODAS) : '');
  return made;
}

const INITIALS = Array.from('ABCDEFGHJKLMNPRSTVW');
const SMALL = list('the of and in on a for with to from at or by an');
const ZH_SURNAMES = Array.from(
  '王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤屠巴老鲁冰茅',
);
const ZH_LITTLE_WORDS = Array.from('因为于在之而与和到自从是的了过也不有所其以中上下大小');
const CONTRACTIONS = list("Don't It's I'm We're Can't You've O'Clock She'll Let's Won't He's That's");

/** Latin with marks, Greek, Cyrillic, Hebrew, Arabic, Devanagari, Thai, kana, Han, Hangul, pictures. */
const RANGES: readonly (readonly [number, number])[] = [
  [0xc0, 0x24f], [0x1ea0, 0x1ef9], [0x391, 0x3c9], [0x410, 0x44f], [0x5d0, 0x5ea], [0x621, 0x64a], [0x904, 0x939], [0xe01, 0xe30], [0x3041, 0x3096], [0x30a1, 0x30fa], [0x4e00, 0x9fff], [0xac00, 0xd7a3], [0x1f300, 0x1f64f],
];
const WRITTEN = /^[\p{L}\p{Extended_Pictographic}]$/u;
const HELD_OUT_HAN: ReadonlySet<string> = new Set(LEXICONS['held-out'].han);

/** At most `count` characters of one script. */
function letters(random: Random, count: number): string {
  const [from, to] = random.pick(RANGES);
  return Array.from({ length: count }, () => String.fromCodePoint(random.int(from, to))).filter((character) => WRITTEN.test(character) && !HELD_OUT_HAN.has(character)).join('');
}

class NameMaker {
  readonly #random: Random;
  readonly #pool: NamePool;
  readonly #lexicon: Lexicon;
  constructor(random: Random, pool: NamePool) {
    this.#random = random;
    this.#pool = pool;
    this.#lexicon = LEXICONS[pool];
  }
  #nonce(syllables?: number): string {
    return nonce(this.#random, syllables, this.#pool);
  }
  #word(): string {
    return this.#random.chance(0.75) ? this.#random.pick(this.#lexicon.words) : this.#nonce();
  }
  #family(): string {
    const random = this.#random;
    const one = random.chance(0.3) ? random.pick(this.#lexicon.family) : capital(this.#nonce(random.int(1, 3)));
    return random.chance(0.05) ? `${one}-${capital(this.#nonce(random.int(1, 2)))}` : one;
  }
  person(): string {
    const random = this.#random;
    const initials = random.pick([() => `${random.pick(INITIALS)}. `, () => `${random.pick(INITIALS)}.${random.pick(INITIALS)}. `, () => `${random.pick(INITIALS)}. ${random.pick(INITIALS)}. `]);
    if (random.chance(0.08)) return initials() + this.#family();
    const given = random.chance(0.4) ? random.pick(this.#lexicon.given) : capital(this.#nonce(random.int(1, 3)));
    const middle = random.chance(0.15) ? `${random.pick(INITIALS)}. ` : random.chance(0.12) ? random.pick(['de ', 'van ', 'von ', "O'", 'al-', 'Mc', 'St. ', 'De la ', 'bin ', "D'", 'Mac']) : '';
    const tail = random.chance(0.05) ? random.pick([' Jr.', ' III', ' II', ' Sr.', ', PhD']) : '';
    return `${given} ${middle}${this.#family()}${tail}`;
  }
  title(long = this.#random.chance(0.12)): string {
    const random = this.#random;
    const count = long ? random.int(6, 14) : random.int(1, 5);
    const words = Array.from({ length: count }, (_, i) => (i > 0 && random.chance(0.2) ? random.pick(SMALL) : random.chance(0.03) ? random.pick(CONTRACTIONS) : capital(this.#word())));
    let text = words.join(' ');
    if (random.chance(0.25)) text = `The ${text}`;
    if (random.chance(0.08)) text += `: ${capital(this.#word())} ${capital(this.#word())}`;
    if (random.chance(0.08)) text += ` ${random.int(2, 13)}`;
    if (random.chance(0.07)) text += random.pick(['!', '?', '...', ' (remake)', ' – Part II', " 'n' Roll", ', Inc.', ' & Co.', ' Vol. 2', ', or What You Will', ' - The Movie']);
    if (random.chance(0.07)) text = text.replace(/s\b/, "'s");
    if (random.chance(0.04)) text = text.replace(' ', random.pick([', ', ' & ', '-', ' / ', '. ']));
    if (random.chance(0.04)) text = `${random.int(1, 2999)} ${text}`;
    if (random.chance(0.03)) text = text.toUpperCase();
    return text;
  }
  /** Lower case, as tags and subjects are. */
  tag(): string {
    const random = this.#random;
    const text = Array.from({ length: random.int(1, 4) }, () => this.#word()).join(random.chance(0.1) ? '-' : ' ');
    return random.chance(0.08) ? `${text} (${this.#word()})` : random.chance(0.08) ? `${text} ${random.int(1, 500)}` : text;
  }
  thing(): string {
    const random = this.#random;
    const base = random.chance(0.5) ? capital(this.#word()) : capital(this.#nonce(random.int(1, 2)));
    return random.pick([
      () => `${base} ${random.int(1, 9999)}`, () => `${base}-${random.int(1, 999)}`, () => `${base} ${random.int(1, 20)} Pro`, () => `${base}.js`, () => `i${base}`, () => `${base}++`, () => `${base} ${random.pick(INITIALS)}${random.int(1, 99)}`,
      () => `${base} v${random.int(0, 9)}.${random.int(0, 20)}`, () => `${random.pick(INITIALS)}.${random.pick(INITIALS)}.${random.pick(INITIALS)}.`, () => `${base} (${random.int(1900, 2030)} ${this.#word()})`, () => base.toUpperCase(), () => `St. ${base}`, () => `'${random.int(10, 99)} ${base}`,
    ])();
  }
  han(): string {
    const { han, foreignHan } = this.#lexicon;
    const random = this.#random;
    const part = (): string => Array.from({ length: random.int(2, 4) }, () => random.pick(foreignHan)).join('');
    const own = (least: number, most: number): string => Array.from({ length: random.int(least, most) }, () => random.pick(random.chance(0.7) ? han : foreignHan)).join('');
    // A person of two or three characters, among them such as are words elsewhere, or one twice.
    if (this.#pool === 'training' && random.chance(0.15)) {
      const given = random.pick(random.chance(0.15) ? ZH_LITTLE_WORDS : han);
      return random.pick(ZH_SURNAMES) + random.pick([given, given + given, given + random.pick(han), random.pick(han) + given]);
    }
    const roll = random.next();
    if (roll < 0.22) return random.chance(0.7) ? `${part()}·${part()}${random.chance(0.1) ? `·${part()}` : ''}` : part();
    if (roll < 0.3) {
      const latin = random.chance(0.5) ? capital(this.#nonce(random.int(1, 2))) : `${random.pick(INITIALS)}${random.int(1, 99)}`;
      return random.pick([() => latin + own(1, 3), () => own(1, 3) + latin, () => `${own(1, 3)} ${latin}`, () => `${part()}·${random.pick(INITIALS)}·${part()}`, () => `${random.pick(INITIALS)}·${part()}`, () => `${own(1, 2)}（${latin}）`])();
    }
    if (roll < 0.38) return random.pick([() => `第${random.int(1, 99)}${own(1, 2)}`, () => `${random.int(1, 2030)}年${own(0, 3)}`, () => `${own(1, 3)}${random.int(1, 999)}`, () => `《${own(2, 6)}》`, () => own(6, 12), () => `${own(2, 4)}：${own(2, 4)}`, () => `${own(1, 3)}—${own(1, 3)}`])();
    return own(1, 5) + (random.chance(0.1) ? random.pick(['公司', '大学', '市', '省', '国', '河', '山', '语']) : '');
  }
  date(): string {
    const random = this.#random;
    const year = random.int(1000, 2035);
    if (random.chance(0.6)) return String(year);
    return `${year}-${String(random.int(1, 12)).padStart(2, '0')}-${String(random.int(1, 28)).padStart(2, '0')}`;
  }
  number(): string {
    const random = this.#random;
    return random.pick([() => String(random.int(0, 99)), () => String(random.int(0, 10_000_000)), () => `${random.int(0, 9999)}.${random.int(0, 99)}`, () => `-${random.int(1, 500)}`])();
  }
  code(): string {
    const random = this.#random;
    const signs = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./\'"`()#+';
    return Array.from({ length: random.int(2, 9) }, () => signs[random.int(0, signs.length - 1)]).join('').trim();
  }
  /** Letters of any script and pictures; only characters that no held-out name has. */
  exotic(): string {
    return letters(this.#random, this.#random.int(2, 7)) || this.single();
  }
  single(): string {
    return this.#random.chance(0.5) ? this.#word() : capital(this.#nonce());
  }
}

/**
 * A fresh name: people, titles, things, tags, words, dates, numbers, codes; mostly Han for Chinese. `held-out` draws from words, syllables and characters that
 * no training name has (dates, numbers and codes have none, and are new only as wholes; little words, contractions and initials are common to both).
 */
export function randomName(random: Random, language: 'en' | 'zh', pool: NamePool = 'training'): string {
  const make = new NameMaker(random, pool);
  if (language === 'zh' && random.chance(0.75)) return make.han();
  const kind = random.next();
  if (kind < 0.3) return make.person();
  if (kind < 0.56) return make.title();
  if (kind < 0.66) return make.single();
  if (kind < 0.72) return make.thing();
  if (kind < 0.8) return make.date();
  if (kind < 0.85) return make.number();
  if (kind < 0.9) return `${random.int(2, 400)} more`;
  if (kind < 0.93) return make.code();
  if (kind < 0.96 && pool === 'training') return make.exotic();
  return make.tag();
}

/** A name of pieces, and now and then a letter of any script, drawn without any pattern: all that a model can do with it is to copy. */
export function patchwork(random: Random, pieces: readonly string[]): string {
  const count = random.int(1, 7);
  return Array.from({ length: count }, () => (random.chance(0.15) ? letters(random, 1) : random.pick(pieces))).join('').trim() || random.pick(LEXICONS.training.words);
}

/** A name of many words, or of many characters for Chinese. */
export function longName(random: Random, language: 'en' | 'zh', pool: NamePool = 'training'): string {
  const make = new NameMaker(random, pool);
  return language === 'zh' && random.chance(0.75) ? `${make.han()}${make.han()}` : make.title(true);
}
