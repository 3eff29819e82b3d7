import { createHmac } from 'node:crypto';

/**
 * Letters that are not taken for others and make no words.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc8628#section-6.1}
 */
const letters = 'BCDFGHJKLMNPQRSTVWXZ';
const length = 8;
const form = new RegExp(`^[${letters}]{${length}}$`);
/** Bytes from here on would make the first letters likelier than the others. */
const fair = 256 - (256 % letters.length);

export interface UserCodes {
  /** 34.5 random bits, in the form in which people read them. */
  make(): string;
  /** As it is stored: with a key, since a code is short. `undefined` for what can be none, however it is written. */
  hash(userCode: string): string | undefined;
  /** As people are shown it, however they have typed it. */
  show(userCode: string): string;
}

type Dependencies = {
  readonly randomBytes: (count: number) => Uint8Array;
  /** Known to this server alone, and the same for all its processes. */
  readonly secret: Uint8Array;
};

export function createUserCodes({ randomBytes, secret }: Dependencies): UserCodes {
  return {
    make() {
      let code = '';
      while (code.length < length) {
        for (const byte of randomBytes(length)) {
          if (byte < fair && code.length < length) code += letters[byte % letters.length];
        }
      }
      return writtenOut(code);
    },
    show: (userCode) => writtenOut(bare(userCode)),
    hash(userCode) {
      const code = bare(userCode);
      if (!form.test(code)) return undefined;
      return createHmac('sha256', secret).update(code).digest('base64url');
    },
  };
}

function bare(userCode: string): string {
  return userCode.toUpperCase().replaceAll(/[\s-]/g, '');
}

/** Two halves, with a line between them. */
function writtenOut(code: string): string {
  return `${code.slice(0, length / 2)}-${code.slice(length / 2)}`;
}
