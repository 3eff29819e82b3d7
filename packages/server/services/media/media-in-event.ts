import { isJsonObject, type JsonValue, parseJson, parseMxcUri } from '@portico/protocol';
import type { MediaKey } from '@portico/storage/stores/media/media.ts';
import { mxcUrisInHtml } from './mxc-uris-in-html.ts';

/**
 * The files that an event is about: the file itself and its thumbnail, encrypted or not, and pictures in a text. Of an edit people are
 * shown what it puts in place of what was said.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#event-replacements}
 */
export function mediaInEvent(contentText: string): MediaKey[] {
  const content = parseJson(contentText, 'lenient');
  return [content, field(content, 'm.new_content')].flatMap(urisIn).flatMap((uri) => {
    const parsed = typeof uri === 'string' ? parseMxcUri(uri) : undefined;
    return parsed === undefined ? [] : [{ origin: parsed.serverName, mediaId: parsed.mediaId }];
  });
}

function urisIn(content: JsonValue | undefined): (JsonValue | undefined)[] {
  const info = field(content, 'info');
  const html = field(content, 'formatted_body');
  return [
    field(content, 'url'),
    field(field(content, 'file'), 'url'),
    field(info, 'thumbnail_url'),
    field(field(info, 'thumbnail_file'), 'url'),
    ...(typeof html === 'string' ? mxcUrisInHtml(html) : []),
  ];
}

function field(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}
