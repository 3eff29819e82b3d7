import type { JsonObject } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { readLimited, type RawBody } from '../../bytes.ts';
import { parseJsonBody } from '../../json-body.ts';
import { inItsWords } from './in-its-words.ts';

const maxBytes = 32 * 1024;
/** Metadata is an object with arrays of texts, and what others mean by more is not looked at. */
const maxDepth = 16;

/** What a client says about itself: any object. */
export function readMetadata(body: RawBody): Promise<JsonObject> {
  return inItsWords('oauth.invalid-client-metadata', async () => {
    const value = await parseJsonBody(await readLimited(body, maxBytes), maxDepth);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
    throw new MatrixError('request.bad-json', { message: 'What a client says about itself is a JSON object.' });
  });
}
