// Owns the formats of texts that a JSON Schema may name, as regular expressions.
// Refuses to promise that every text of a format matches.

const [DAY, MONTH, YEAR] = ['(?:0[1-9]|1\\d|2[0-8])', '(?:0[1-9]|1[0-2])', '\\d{4}'];
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:0\\d|1[0-4]):[0-5]\\d)';
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?';
/** Each text that matches is of the format; days above 28 are left out, so that every month has them. */
export const FORMATS: Readonly<Record<string, string>> = {
  date: `${YEAR}-${MONTH}-${DAY}`,
  time: TIME,
  'date-time': `${YEAR}-${MONTH}-${DAY}T${TIME}`,
  duration: 'P(?:\\d{1,4}D|T\\d{1,4}[HMS])',
  uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}',
  ipv4: `${OCTET}(?:\\.${OCTET}){3}`,
  ipv6: '[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}',
  hostname: `${LABEL}(?:\\.${LABEL}){1,3}`,
  email: `[a-z0-9]+(?:[._+-][a-z0-9]+){0,3}@${LABEL}(?:\\.${LABEL}){1,2}`,
  uri: `https?://${LABEL}(?:\\.${LABEL}){1,2}(?:/[a-z0-9_.~-]+){0,6}`,
};
