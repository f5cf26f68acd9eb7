// Owns the formats of texts that a JSON Schema may name, as regular expressions.
// Refuses to promise that every text of a format matches.

/** Days that there are: the 29th of February in years that have it. */
const [LEAP, DAYS] = [
  '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)',
  '(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))',
];
const DATE = `(?:\\d{4}-${DAYS}|${LEAP}-02-29)`;
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:0\\d|1[0-4]):[0-5]\\d)';
/** Units without a gap between them, largest first (RFC 3339, appendix A). */
const lasting = (...units: readonly string[]): string => units.reduceRight((rest, unit) => `\\d{1,4}${unit}${rest === '' ? '' : `(?:${rest})?`}`, '');
const oneOf = (...units: readonly string[]): string => `(?:${units.map((_, i) => lasting(...units.slice(i))).join('|')})`;
const [CALENDAR, CLOCK] = [oneOf('Y', 'M', 'D'), `T${oneOf('H', 'M', 'S')}`];
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = `${OCTET}(?:\\.${OCTET}){3}`;
const GROUP = '[0-9a-fA-F]{1,4}';
/** Eight groups, or fewer with one gap between them (RFC 4291, section 2.2). */
const IPV6 = [`(?:${GROUP}:){7}${GROUP}`, `(?:${GROUP}:){1,7}:`, ...[6, 5, 4, 3, 2, 1].map((most) => `(?:${GROUP}:){1,${most}}(?::${GROUP}){1,${7 - most}}`), `:(?::${GROUP}){1,7}`, '::'].join('|');
/**
 * Hosts end with a label of letters, else they are read as numbers; and two hyphens together would say that a label is written in another way (RFC 5891, section 4.2.3.1). A label has 63
 * characters at most where names are looked up (RFC 1035), which is not asked of a URI.
 */
const hosts = (some: string, more: string, top: string): { readonly label: string; readonly top: string; readonly near: string } => {
  const behind = `(?:-[a-zA-Z0-9]${some})${more}`;
  return { label: `[a-zA-Z0-9]${some}${behind}`, top: `[a-zA-Z]${top}`, near: `[a-zA-Z](?:[a-zA-Z0-9]${some})?${behind}` };
};
const SHORT = hosts('{1,20}', '{0,2}', '{2,12}');
const ADDRESS = `(?:${SHORT.label}\\.){1,2}${SHORT.top}`;
const [PORT, IN_PATH] = ['(?::(?:[1-9]\\d{0,3}|[1-5]\\d{4}))?', "(?:[a-zA-Z0-9._~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2})"];
/** `path`: how often characters of a part of its path are repeated, `parts`: and the parts. */
function uri({ label, top, near }: ReturnType<typeof hosts>, labels: string, path: string, parts: string): string {
  const behind = `(?:${IN_PATH}|[/?])${path}`;
  return `[a-z][a-z0-9+.-]{1,9}://(?:(?:${label}\\.)${labels}${top}|${near}|${IPV4})${PORT}(?:/${IN_PATH}${path})${parts}(?:\\?${behind})?(?:#${behind})?`;
}
const POINTER = '(?:/(?:[^~/]|~[01])*)*';
/** Of regular expressions: characters, classes and groups, some of them repeated. */
const ATOM = '(?:[a-zA-Z0-9 _.]|\\\\[dDsSwW.*+?()\\[\\]{}|^$/\\\\]|\\[\\^?(?:[a-zA-Z0-9_]|a-z|A-Z|0-9){1,20}\\])[*+?]?';
const SOME_ATOMS = `(?:${ATOM}|\\((?:\\?:)?(?:${ATOM})+(?:\\|(?:${ATOM})+)*\\)[*+?]?)+`;
const uuid = (version: string): string => `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-${version}[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}`;
/** Networks of one address each, whatever its last bits are. */
const [NETWORK4, NETWORK6] = [`${IPV4}/32`, `(?:${IPV6})/128`];
const [INTERFACE4, INTERFACE6] = [`${IPV4}/(?:3[0-2]|[12]?\\d)`, `(?:${IPV6})/(?:12[0-8]|1[01]\\d|[1-9]?\\d)`];
/** Four characters for three bytes, the last ones filled up (RFC 4648, section 4). */
const base64 = (some: string, characters: string): string => `(?:(?:${characters}{4})${some}(?:${characters}{2}==|${characters}{3}=)?|${characters}{2}==|${characters}{3}=)`;
const named = (names: readonly string[], pattern: string): Readonly<Record<string, string>> => Object.fromEntries(names.map((name) => [name, pattern]));
/** `some`: how parts of any length are repeated. */
const formats = (some: string, address: string): Readonly<Record<string, string>> => ({
  date: DATE,
  time: TIME,
  'date-time': `${DATE}T${TIME}`,
  duration: `P(?:${CALENDAR}(?:${CLOCK})?|${CLOCK}|\\d{1,4}W)`,
  ...named(['uuid', 'guid'], uuid('[1-8]')),
  ipv4: IPV4,
  ipv6: `(?:${IPV6})`,
  ...named(['hostname', 'idn-hostname'], `(?:(?:${SHORT.label}\\.){1,3}${SHORT.top}|${SHORT.near})`),
  ...named(['email', 'idn-email'], `[a-zA-Z0-9]${some}(?:[._+-][a-zA-Z0-9]${some}){0,3}@${ADDRESS}`),
  ...named(['uri', 'iri', 'url', 'multi-host-uri'], address),
  ...named(['uri-reference', 'iri-reference'], `(?:${address}|/?(?:[a-zA-Z0-9._~-]${some}/){0,4}[a-zA-Z0-9._~-]${some}(?:#[a-zA-Z0-9._~-]${some})?)`),
  // Literals of templates hold no apostrophe (RFC 6570, section 2.1).
  'uri-template': address.replaceAll("'", ''),
  'json-pointer': POINTER,
  'relative-json-pointer': `(?:0|[1-9]\\d{0,3})(?:#|${POINTER})`,
  // As pydantic and OpenAPI name them.
  ...Object.fromEntries(['1', '3', '4', '5', '6', '7', '8'].map((version) => [`uuid${version}`, uuid(version)])),
  ...named(['ip', 'ipvanyaddress'], `(?:${IPV4}|${IPV6})`),
  ipv4network: NETWORK4,
  ipv6network: NETWORK6,
  ipvanynetwork: `(?:${NETWORK4}|${NETWORK6})`,
  ipv4interface: INTERFACE4,
  ipv6interface: INTERFACE6,
  ipvanyinterface: `(?:${INTERFACE4}|${INTERFACE6})`,
  ...named(['base64', 'byte'], base64(some, '[A-Za-z0-9+/]')),
  base64url: base64(some, '[A-Za-z0-9_-]'),
  color: '#(?:[0-9a-fA-F]{3}){1,2}',
  // Numbers that are written as texts, as in the JSON of Protocol Buffers; of 32 bits and 64.
  int32: '(?:0|-?[1-9]\\d{0,8})',
  int64: '(?:0|-?[1-9]\\d{0,17})',
  uint32: '(?:0|[1-9]\\d{0,8})',
  uint64: '(?:0|[1-9]\\d{0,17})',
  ...named(['decimal', 'double', 'float'], '-?(?:0|[1-9]\\d{0,8})(?:\\.\\d{1,6})?'),
  regex: `\\^?${SOME_ATOMS}(?:\\|${SOME_ATOMS})*\\$?`,
});
/** Each text that matches is of the format. */
export const FORMATS = formats('+', uri(hosts('+', '*', '{2,}'), '+', '*', '*'));
/** The same, of texts that are not long (of addresses, 254 characters at most: RFC 5321 has no longer ones), longest first: limits that none of these comes to need not be counted. */
export const SHORT_FORMATS = [60, 18].map((most) => formats('{1,27}', uri(SHORT, '{1,3}', `{0,${most}}`, '{0,6}')));
