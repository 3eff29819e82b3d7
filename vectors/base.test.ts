import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkNewUserId,
  compileGlob,
  compileServerAcl,
  contentHash,
  decodeBase64,
  encodeCanonical,
  eventIdOf,
  findRoomVersion,
  hashAndSignEvent,
  isEventId,
  isRoomAlias,
  isRoomId,
  isServerName,
  isUserId,
  JsonError,
  matchesGlob,
  parseJson,
  parseMxcUri,
  parseServerName,
  parseVerifyKey,
  redactPdu,
  referenceHash,
  signaturesOf,
  signaturesRequired,
  signingKeyFromSeed,
  signJson,
  verifySignedJson,
  type JsonObject,
  type Pdu,
  type RoomVersionRules,
  type ServerName,
  type VerifyKey,
} from '@portico/protocol';
import { readVectors, type Cases, type EventCase } from './vector-file.ts';

function rulesOf(version: string): RoomVersionRules {
  const rules = findRoomVersion(version);
  assert.ok(rules);
  return rules;
}

function equalJson(actual: JsonObject, expected: JsonObject): void {
  assert.equal(encodeCanonical(actual), encodeCanonical(expected));
}

type Outcome = { readonly canonical: string } | { readonly error: string };
type CanonicalCase = {
  readonly name: string;
  readonly input: string;
  readonly strict: Outcome;
  readonly lenient: Outcome;
};

function canonicalise(input: string, parsed: 'strict' | 'lenient', written = parsed): Outcome {
  try {
    return { canonical: encodeCanonical(parseJson(input, parsed), written) };
  } catch (error) {
    assert.ok(error instanceof JsonError, String(error));
    return { error: error.reason };
  }
}

for (const file of ['spec-examples', 'worked-out']) {
  for (const { name, input, strict, lenient } of (readVectors(`canonical-json/${file}.json`) as Cases<CanonicalCase>)
    .cases) {
    test(`canonical JSON: ${name}`, () => {
      assert.deepEqual(canonicalise(input, 'strict'), { ...strict });
      assert.deepEqual(canonicalise(input, 'lenient'), { ...lenient });
      // A number at the top is in nothing beside which its spelling could be kept.
      if (/^[[{]/.test(input)) assert.deepEqual(canonicalise(input, 'lenient', 'strict'), { ...strict });
      if ('error' in strict)
        assert.throws(() => parseJson(input, 'strict'), { name: 'JsonError', reason: strict.error });
    });
  }
}

const identifiers: Readonly<Record<string, (input: string) => boolean>> = {
  'server-name': isServerName,
  'user-id': isUserId,
  'room-id': isRoomId,
  'room-alias': isRoomAlias,
  'event-id': isEventId,
  'mxc-uri': (input) => parseMxcUri(input) !== undefined,
  'new-user-localpart': (input) => checkNewUserId(input, parseServerName('example.org') as ServerName).kind === 'ok',
};

for (const [kind, isValid] of Object.entries(identifiers)) {
  type IdCase = { readonly name: string; readonly input: string; readonly valid: boolean };
  for (const { name, input, valid } of (readVectors(`ids/${kind}.json`) as Cases<IdCase>).cases) {
    test(`${kind}: ${name}`, () => assert.equal(isValid(input), valid));
  }
}

type GlobCase = {
  readonly pattern: string;
  readonly ignoreCase?: boolean;
  readonly matches: readonly string[];
  readonly fails: readonly string[];
};

for (const { pattern, ignoreCase = false, matches, fails } of (readVectors('globs/globs.json') as Cases<GlobCase>)
  .cases) {
  test(`glob ${pattern}`, () => {
    const compiled = compileGlob(pattern, { ignoreCase });
    const matcher = (text: string) => {
      if (!ignoreCase) assert.equal(matchesGlob(pattern, text), compiled(text), text);
      return compiled(text);
    };
    for (const text of matches) assert.equal(matcher(text), true, `should match ${text}`);
    for (const text of fails) assert.equal(matcher(text), false, `should not match ${text}`);
  });
}

type RedactionCase = {
  readonly name: string;
  readonly event: JsonObject;
  readonly expected: readonly { readonly roomVersions: readonly string[]; readonly redacted: JsonObject }[];
};

for (const { name, event, expected } of (readVectors('redaction/redaction.json') as Cases<RedactionCase>).cases) {
  for (const { roomVersions, redacted } of expected) {
    for (const version of roomVersions) {
      test(`redaction in version ${version}: ${name}`, () => equalJson(redactPdu(rulesOf(version), event), redacted));
    }
  }
}

type HashCase = {
  readonly name: string;
  readonly roomVersion: string;
  readonly event: string;
  readonly contentHash: string;
  readonly referenceHash: string;
  readonly eventId: string;
};

for (const hashes of (readVectors('hashes/hashes.json') as Cases<HashCase>).cases) {
  test(`hashes in version ${hashes.roomVersion}: ${hashes.name}`, () => {
    const rules = rulesOf(hashes.roomVersion);
    const event = parseJson(hashes.event, rules.canonicalJson) as JsonObject;
    assert.equal(contentHash(rules, event), hashes.contentHash);
    // Put in by hand, for the text must keep its numbers.
    const text = hashes.event.replace('"hashes": {}', `"hashes": {"sha256": "${hashes.contentHash}"}`);
    const hashed = parseJson(text, rules.canonicalJson) as JsonObject;
    assert.equal(referenceHash(rules, hashed), hashes.referenceHash);
    assert.equal(eventIdOf(rules, hashed), hashes.eventId);
  });
}

type Signatures = {
  readonly key: {
    readonly seed: string;
    readonly publicKey: string;
    readonly serverName: string;
    readonly keyId: string;
  };
  readonly json: readonly { readonly name: string; readonly object: JsonObject; readonly signature: string }[];
  readonly events: readonly (EventCase & { readonly contentHash: string; readonly signature: string })[];
};

for (const file of ['spec-examples', 'worked-out']) {
  const { key, json, events } = readVectors(`signatures/${file}.json`) as Signatures;
  const { serverName, keyId } = key;
  const signingKey = signingKeyFromSeed(keyId, decodeBase64(key.seed) as Uint8Array);
  const verifyKey = parseVerifyKey(decodeBase64(key.publicKey) as Uint8Array) as VerifyKey;

  test(`signatures, ${file}: the public key`, () => assert.equal(signingKey.publicKey, key.publicKey));

  for (const { name, object, signature } of json) {
    test(`signatures, ${file}: ${name}`, () => {
      const signed = signJson(object, serverName, signingKey);
      assert.equal(signaturesOf(signed, serverName).get(keyId), signature);
      assert.equal(verifySignedJson(signed, serverName, keyId, verifyKey), true);
      assert.equal(verifySignedJson({ ...signed, changed: 1 }, serverName, keyId, verifyKey), false);
    });
  }

  for (const { name, roomVersion, event, contentHash, signature } of events) {
    test(`signatures, ${file}, version ${roomVersion}: ${name}`, () => {
      const signed = hashAndSignEvent(rulesOf(roomVersion), event, serverName, signingKey);
      assert.deepEqual({ ...(signed.hashes as JsonObject) }, { sha256: contentHash });
      assert.equal(signaturesOf(signed, serverName).get(keyId), signature);
    });
  }
}

type RequiredCase = {
  readonly name: string;
  readonly roomVersions: readonly string[];
  readonly event: Pdu;
  readonly servers: readonly string[] | null;
};

for (const { name, roomVersions, event, servers } of (readVectors('signatures/required.json') as Cases<RequiredCase>)
  .cases) {
  for (const version of roomVersions) {
    test(`signatures required in version ${version}: ${name}`, () => {
      const required = signaturesRequired(rulesOf(version), event);
      assert.deepEqual(required.kind === 'ok' ? required.servers : null, servers);
    });
  }
}

type AclCase = {
  readonly name: string;
  readonly content: JsonObject;
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
};

for (const { name, content, allowed, denied } of (readVectors('server-acl/server-acl.json') as Cases<AclCase>).cases) {
  test(`server ACL: ${name}`, () => {
    const acl = compileServerAcl(content);
    for (const server of allowed) assert.equal(acl(server).kind, 'allow', `${server} should be allowed`);
    for (const server of denied) assert.equal(acl(server).kind, 'reject', `${server} should be denied`);
  });
}
