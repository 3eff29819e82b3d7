import { parseEmailAddress } from '../ids/email-address.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts';

/** What somebody wants to be told on, as they set it. */
export type Pusher = {
  readonly appId: string;
  readonly pushkey: string;
  readonly kind: 'http' | 'email';
  readonly appDisplayName: string;
  readonly deviceDisplayName: string;
  readonly profileTag: string | undefined;
  readonly lang: string;
  readonly data: JsonObject;
};

export type PusherRequest =
  | { readonly kind: 'set'; readonly pusher: Pusher; readonly append: boolean; readonly enabled: boolean }
  | { readonly kind: 'delete'; readonly appId: string; readonly pushkey: string }
  | { readonly kind: 'missing' | 'invalid'; readonly reason: string };

const required = ['app_display_name', 'device_display_name', 'lang', 'data'] as const;
const longestAppId = 64;
const longestPushkey = 512;
const longestProfileTag = 32;
const longestName = 255;
const longestLanguage = 64;
const longestData = 8192;
const gatewayPath = '/_matrix/push/v1/notify';

/**
 * Reads the body of `POST /pushers/set`.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3pushersset}
 */
export function parsePusherRequest(body: JsonObject): PusherRequest {
  const missing = ['kind', 'app_id', 'pushkey'].filter((name) => body[name] === undefined);
  if (missing.length > 0) return lacking(missing);
  const { kind, app_id: appId, pushkey } = body;
  if (!isText(appId, longestAppId)) return invalid(`app_id must have 1 to ${longestAppId} characters`);
  if (!isText(pushkey, longestPushkey) || byteLength(pushkey) > longestPushkey) {
    return invalid(`pushkey must have 1 to ${longestPushkey} bytes`);
  }
  if (kind === null) return { kind: 'delete', appId, pushkey };

  const lacks = required.filter((name) => body[name] === undefined);
  if (lacks.length > 0) return lacking(lacks);
  if (kind !== 'http' && kind !== 'email') return invalid('kind must be http, email or null');
  const { app_display_name: appDisplayName, device_display_name: deviceDisplayName, lang, data } = body;
  if (!isShort(appDisplayName, longestName)) return invalid('app_display_name is no text, or too long');
  if (!isShort(deviceDisplayName, longestName)) return invalid('device_display_name is no text, or too long');
  if (!isShort(lang, longestLanguage)) return invalid('lang is no text, or too long');
  const { append = false, profile_tag: profileTag, 'org.matrix.msc3881.enabled': enabled = true } = body;
  if (profileTag !== undefined && !isShort(profileTag, longestProfileTag)) {
    return invalid(`profile_tag must have at most ${longestProfileTag} characters`);
  }
  if (typeof append !== 'boolean') return invalid('append must be true or false');
  if (typeof enabled !== 'boolean') return invalid('org.matrix.msc3881.enabled must be true or false');
  if (!isJsonObject(data)) return invalid('data must be an object');
  const wrong = kind === 'http' ? checkGateway(data) : checkEmail(appId, pushkey);
  if (wrong !== undefined) return wrong;
  if (JSON.stringify(data).length > longestData) return invalid('data is too large');
  const pusher = { appId, pushkey, kind, appDisplayName, deviceDisplayName, profileTag, lang, data } as const;
  return { kind: 'set', pusher, append, enabled };
}

/** The app of pushers that are email addresses. */
export const emailAppId = 'm.email';

function checkEmail(appId: string, pushkey: string): PusherRequest | undefined {
  if (appId !== emailAppId) return invalid(`app_id must be ${emailAppId} where kind is email`);
  return parseEmailAddress(pushkey) === pushkey ? undefined : invalid('pushkey must be an email address');
}

function checkGateway(data: JsonObject): PusherRequest | undefined {
  const { url, format } = data;
  if (url === undefined) return lacking(['data.url']);
  if (typeof url !== 'string' || parseGatewayUrl(url) === undefined) {
    return invalid(`data.url must be an HTTPS URL with the path ${gatewayPath}`);
  }
  if (format !== undefined && format !== 'event_id_only') return invalid('data.format must be event_id_only');
  return undefined;
}

/** "MUST be an HTTPS URL with a path of `/_matrix/push/v1/notify`." */
export function parseGatewayUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.pathname !== gatewayPath) return undefined;
  return url.username === '' && url.password === '' && url.hash === '' ? url : undefined;
}

function isShort(value: JsonValue | undefined, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest;
}

function isText(value: JsonValue | undefined, longest: number): value is string {
  return isShort(value, longest) && value !== '';
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function lacking(names: readonly string[]): PusherRequest {
  return { kind: 'missing', reason: `Missing parameters: ${names.join(', ')}` };
}

function invalid(reason: string): PusherRequest {
  return { kind: 'invalid', reason };
}
