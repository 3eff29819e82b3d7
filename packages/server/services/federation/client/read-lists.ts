import { isJsonObject, type JsonObject, type JsonValue, maxJsonDepth } from '@portico/protocol';
import { OutboundError } from '../../outbound/outbound-error.ts';
import type { OutboundStream } from '../../outbound/outbound.ts';
import { createPacer } from '../../pacer.ts';
import { FederationError } from './federation-error.ts';
import { parseAnswer, parseLongAnswer } from './parse-answer.ts';
import { createListSplitter, SplitError } from './split-lists.ts';

export type ListElement<T> = { readonly list: string; readonly value: T };
export type ListedObject = ListElement<JsonObject>;

/** An event has at most 64 KiB, without what is not part of it; of that we read as much again. */
const elementLimit = 128 * 1024;
const restLimit = 1024 * 1024;
/** Elements of all lists together: the state of no room has as many. */
const mostElements = 1_000_000;
/** Bytes that are looked through at once. */
const atOnce = 16 * 1024;

/**
 * Reads an answer that has long lists: hands out their elements as they come, as far as they are wanted, and gives what else
 * there is in the end. More is read when what was handed out has been taken. Rejects with `FederationError`.
 */
export async function readLists<T>(
  { chunks }: Pick<OutboundStream, 'chunks'>,
  names: ReadonlySet<string>,
  as: (value: JsonValue | undefined) => T,
  take: (elements: readonly ListElement<T>[]) => Promise<void> | void,
  most = mostElements,
): Promise<JsonObject> {
  const splitter = createListSplitter(names, { element: elementLimit, rest: restLimit, depth: maxJsonDepth });
  const pace = createPacer();
  let count = 0;
  try {
    for await (const chunk of chunks) {
      const elements: ListElement<T>[] = [];
      for (let start = 0; start < chunk.length; start += atOnce) {
        for (const { list, bytes } of splitter.push(chunk.subarray(start, start + atOnce))) {
          if (++count > most) throw new SplitError('its lists are too long');
          elements.push({ list, value: as(parseAnswer(bytes)) });
          await pace();
        }
      }
      if (elements.length > 0) await take(elements);
    }
    return asObject(await parseLongAnswer(splitter.end()));
  } catch (error) {
    if (error instanceof SplitError)
      throw new FederationError('bad-answer', `An answer cannot be read: ${error.message}`);
    if (error instanceof OutboundError) throw new FederationError(error.failure, error.message, { cause: error });
    throw error;
  }
}

export function asObject(value: JsonValue | undefined): JsonObject {
  if (!isJsonObject(value)) throw new SplitError('it has something else than objects');
  return value;
}

export function asString(value: JsonValue | undefined): string {
  if (typeof value !== 'string') throw new SplitError('it has something else than strings');
  return value;
}
