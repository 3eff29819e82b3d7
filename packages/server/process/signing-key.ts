import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StartError } from './start-error.ts';

export type SigningKey = {
  /** The part of the key ID behind `ed25519:`. */
  readonly version: string;
  /** The 32 bytes that the key pair is made from. */
  readonly seed: Uint8Array;
};

export function signingKeyFile(dataDir: string): string {
  return join(dataDir, 'signing.key');
}

/** Reads the server's signing key, or makes it where there is none yet. */
export function openSigningKey(dataDir: string): SigningKey {
  const file = signingKeyFile(dataDir);
  createSigningKey(file);
  return readSigningKey(file);
}

/** Throws `StartError` where the file holds no key. */
export function readSigningKey(file: string): SigningKey {
  return parseSigningKey(readFileSync(file, 'utf8'), file);
}

/** Writes a new key, readable by its owner only, unless the file is there. Answers whether it did. */
export function createSigningKey(file: string): boolean {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const key = `ed25519 a_${randomVersion()} ${unpadded(randomBytes(32))}\n`;
  try {
    const descriptor = openSync(file, 'wx', 0o600);
    writeSync(descriptor, key);
    // Other servers remember the key with the first event it signs: it must not be lost with the power.
    fsyncSync(descriptor);
    closeSync(descriptor);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function parseSigningKey(text: string, file: string): SigningKey {
  const match = /^ed25519 ([A-Za-z0-9_]{1,64}) ([A-Za-z0-9+/]{43})=?\s*$/.exec(text);
  const [, version, seed] = match ?? [];
  if (version === undefined || seed === undefined) {
    throw new StartError(`${file} is not a signing key: it must be one line of the form "ed25519 VERSION BASE64"`);
  }
  return { version, seed: new Uint8Array(Buffer.from(seed, 'base64')) };
}

function randomVersion(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEF';
  return Array.from(randomBytes(6), (byte) => alphabet[byte % alphabet.length]).join('');
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
