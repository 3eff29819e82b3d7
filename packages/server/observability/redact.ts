/**
 * Takes access tokens out of text that is about to be logged: from addresses (`?access_token=…`), from authorization
 * headers, and wherever a field's name says that its value is a secret.
 */
export function redactSecrets(text: string): string {
  return mayHoldSecret.test(text)
    ? text
        .replaceAll(inAddress, '$1=[redacted]')
        .replaceAll(inHeader, '$1 [redacted]')
        .replaceAll(inSignature, '$1[redacted]')
        .replaceAll(inField, '$1"[redacted]"')
        .replaceAll(inDatabaseAddress, '$1:[redacted]@')
    : text;
}

const mayHoldSecret = /token|bearer|password|secret|authorization|cookie|postgres|hmac|mac"|sig=/i;
const inAddress = /([?&](?:access_token|refresh_token|hs_token|as_token|loginToken|token))=[^&\s"'#\\]+/g;
const inHeader = /\b(Bearer)\s+[^\s"\\]+/gi;
const inSignature = /(\bsig=(?:\\")?)[A-Za-z0-9+/]+/g;
const inField =
  /("(?:\w*(?:token|password|secret)|authorization|cookie|set-cookie|mac|hmac|private_key)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi;
const inDatabaseAddress = /(\bpostgres(?:ql)?:\/\/[^:@/\s"]*):[^@\s"]*@/g;
