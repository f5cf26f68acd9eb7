// Owns the formats of texts that a JSON Schema may name, as regular expressions.
// Refuses to promise that every text of a format matches.

const [DAY, MONTH, YEAR] = ['(?:0[1-9]|1\\d|2[0-8])', '(?:0[1-9]|1[0-2])', '\\d{4}'];
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:0\\d|1[0-4]):[0-5]\\d)';
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
/** Hosts end with a label of letters, else they are read as numbers; and two hyphens together would say that a label is written in another way (RFC 5891, section 4.2.3.1). */
const [LABEL, TOP] = ['[a-z0-9]{1,20}(?:-[a-z0-9]{1,20}){0,2}', '[a-z]{2,12}'];
const HOST = `(?:${LABEL}\\.){1,2}${TOP}`;
/** `some`: how parts of any length are repeated. */
const formats = (some: string): Readonly<Record<string, string>> => ({
  date: `${YEAR}-${MONTH}-${DAY}`,
  time: TIME,
  'date-time': `${YEAR}-${MONTH}-${DAY}T${TIME}`,
  duration: 'P(?:\\d{1,4}D|T\\d{1,4}[HMS])',
  uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}',
  ipv4: `${OCTET}(?:\\.${OCTET}){3}`,
  ipv6: '[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}',
  hostname: `(?:${LABEL}\\.){1,3}${TOP}`,
  email: `[a-z0-9]${some}(?:[._+-][a-z0-9]${some}){0,3}@${HOST}`,
  uri: `https?://${HOST}(?:/[a-z0-9_.~-]${some}){0,6}`,
});
/** Each text that matches is of the format; days above 28 are left out, so that every month has them. */
export const FORMATS = formats('+');
/** The same, of texts that are not long (of addresses, 254 characters at most: RFC 5321 has no longer ones): limits that none of these comes to need not be counted. */
export const SHORT_FORMATS = formats('{1,27}');
