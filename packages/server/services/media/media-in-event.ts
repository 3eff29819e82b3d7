import { isJsonObject, type JsonValue, parseJson, parseMxcUri } from '@portico/protocol';
import type { MediaKey } from '@portico/storage/stores/media/media.ts';

/** The files that an event is about: the file itself and its thumbnail, encrypted or not. */
export function mediaInEvent(contentText: string): MediaKey[] {
  const content = parseJson(contentText, 'lenient');
  const info = field(content, 'info');
  const uris = [
    field(content, 'url'),
    field(field(content, 'file'), 'url'),
    field(info, 'thumbnail_url'),
    field(field(info, 'thumbnail_file'), 'url'),
  ];
  return uris.flatMap((uri) => {
    const parsed = typeof uri === 'string' ? parseMxcUri(uri) : undefined;
    return parsed === undefined ? [] : [{ origin: parsed.serverName, mediaId: parsed.mediaId }];
  });
}

function field(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}
