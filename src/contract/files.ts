// Owns the wire form of files, as OpenAI's API has them, and what an upload says about itself.
// Refuses to know where files lie.

import { z } from 'zod';
import { afterListOf, afterPage, order } from '../http/after.ts';
import { HttpError } from '../http/problems.ts';
import { FILE_PURPOSES } from '../workspace/files/file-store.ts';
import type { FilePurpose, StoredFile } from '../workspace/files/file-store.ts';

/** Files of one page when the request names no number. */
export const FILES_PAGE = 10_000;
const UPLOADED = ['fine-tune', 'batch', 'user_data'] as const satisfies readonly FilePurpose[];
const [HOUR, MONTH] = [3600, 2_592_000];
const MOST_NAME = 255;

export const file = z
  .strictObject({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.int(),
    created_at: z.int(),
    expires_at: z.int().optional(),
    filename: z.string(),
    purpose: z.enum(FILE_PURPOSES),
    status: z.literal('processed'),
    status_details: z.null(),
  })
  .meta({ id: 'File' });
export const fileList = afterListOf(file);
export const fileDeleted = z.strictObject({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) });
export const fileParams = z.strictObject({ id: z.string().min(1).max(128) });
export const fileQuery = z.strictObject({
  ...afterPage(FILES_PAGE, FILES_PAGE),
  order,
  purpose: z.enum(FILE_PURPOSES).optional().describe('Only files for this purpose.'),
});
/** The fields of the form, for the description of the API: they are read one by one as they arrive. */
export const uploadForm = z
  .strictObject({
    file: z.string().meta({
      format: 'binary',
      description: 'Content, with a file name. For `fine-tune` JSONL: {"messages": [...]} or {"prompt", "completion"} a line; each line is checked.',
    }),
    purpose: z.enum(UPLOADED),
    'expires_after[anchor]': z.literal('created_at').optional(),
    'expires_after[seconds]': z.int().min(HOUR).max(MONTH).optional(),
  })
  .meta({ id: 'UploadFile' });

export interface Upload {
  readonly purpose: FilePurpose;
  readonly expiresAfterMs?: number;
}
const fields = z
  .strictObject({
    purpose: z.enum(UPLOADED, { error: `give one of ${UPLOADED.join(', ')}` }),
    'expires_after[anchor]': z.literal('created_at', { error: 'only created_at is known' }).optional(),
    'expires_after[seconds]': z.coerce
      .number({ error: `give whole seconds, ${HOUR} to ${MONTH}` })
      .int()
      .min(HOUR)
      .max(MONTH)
      .optional(),
  })
  .refine((given) => given['expires_after[anchor]'] === undefined || given['expires_after[seconds]'] !== undefined, { path: ['expires_after[seconds]'], error: `is required where an anchor is given; give whole seconds, ${HOUR} to ${MONTH}` });
/** Reads the form's fields beside the file. Throws HttpError. */
export function uploadOf(given: Readonly<Record<string, string>>): Upload {
  if (given['purpose'] === undefined)
    throw new HttpError('missing_required_parameter', `purpose: is required; give one of ${UPLOADED.join(', ')}`, { param: 'purpose' });
  const result = fields.safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    const param = issue.code === 'unrecognized_keys' ? issue.keys[0] : String(issue.path[0]);
    throw new HttpError(
      issue.code === 'unrecognized_keys' ? 'unknown_parameter' : 'invalid_value',
      `${param}: ${issue.code === 'unrecognized_keys' ? 'is not a field that is known here' : issue.message}`,
      { param },
    );
  }
  const seconds = result.data['expires_after[seconds]'];
  return { purpose: result.data.purpose, ...(seconds === undefined ? {} : { expiresAfterMs: seconds * 1000 }) };
}
/** A client's name for a file, for showing only: the last part of a path, without control characters. */
export function shownName(given: string | undefined): string {
  const [last = ''] = (given ?? '').split(/[/\\]/).slice(-1);
  const name = last
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, MOST_NAME)
    .toWellFormed();
  return name === '' || name === '.' || name === '..' ? 'upload' : name;
}

const seconds = (ms: number): number => Math.floor(ms / 1000);
export const fileWire = ({ id, bytes, created, expires, filename, purpose }: StoredFile): z.infer<typeof file> => ({
  id,
  object: 'file',
  bytes,
  created_at: seconds(created),
  ...(expires === undefined ? {} : { expires_at: seconds(expires) }),
  filename,
  purpose,
  status: 'processed',
  status_details: null,
});
