import { isJsonObject, type JsonObject, maxJsonDepth } from '@portico/protocol';
import { OutboundError } from '../../outbound/outbound-error.ts';
import type { OutboundStream } from '../../outbound/outbound.ts';
import { FederationError } from './federation-error.ts';
import { parseAnswer } from './parse-answer.ts';
import { createListSplitter, SplitError } from './split-lists.ts';

export type ListedObject = { readonly list: string; readonly value: JsonObject };

/** An event has at most 64 KiB, without what is not part of it; of that we read as much again. */
const elementLimit = 128 * 1024;
const restLimit = 1024 * 1024;

/**
 * Reads an answer that has long lists of objects: hands them out as they come, and gives what else there is in the end.
 * Rejects with `FederationError`.
 */
export async function readLists(
  { chunks }: OutboundStream,
  names: ReadonlySet<string>,
  take: (objects: readonly ListedObject[]) => Promise<void> | void,
): Promise<JsonObject> {
  const splitter = createListSplitter(names, { element: elementLimit, rest: restLimit, depth: maxJsonDepth });
  try {
    for await (const chunk of chunks) {
      const objects = splitter.push(chunk).map(({ list, bytes }) => ({ list, value: objectOf(bytes) }));
      if (objects.length > 0) await take(objects);
    }
    return objectOf(splitter.end());
  } catch (error) {
    if (error instanceof SplitError)
      throw new FederationError('bad-answer', `An answer cannot be read: ${error.message}`);
    if (error instanceof OutboundError) throw new FederationError(error.failure, error.message, { cause: error });
    throw error;
  }
}

function objectOf(bytes: Buffer): JsonObject {
  const value = parseAnswer(bytes);
  if (!isJsonObject(value)) throw new SplitError('it has something else than objects');
  return value;
}
