import { isGlob } from '@portico/protocol/glob.ts';
import { splitServerName } from '@portico/protocol/ids/server-name.ts';
import { isUserId } from '@portico/protocol/ids/user-id.ts';
import { parseSharingEntry } from '@portico/protocol/privacy/presence/sharing-entry.ts';
import { scalarType } from './value-type.ts';

/*
 * Entries of the server's own rules. Of what people set, an entry that can match nobody is passed over; whoever runs the server
 * believes that it protects somebody.
 */

const somebody = 'a user ID such as @mallory:evil.example';
const pattern = 'a pattern of them such as @*:evil.example';

export const sharingEntry = scalarType(`${somebody}, ${pattern}, or a room ID`, (value) =>
  parseSharingEntry(value) === undefined ? undefined : value,
);

export const inviter = scalarType(`${somebody}, or ${pattern}`, (value) =>
  (isGlob(value) ? /^[@*?]/.test(value) : isUserId(value)) ? value : undefined,
);

export const inviterServer = scalarType(
  'a server name without its port such as evil.example, or a pattern of them such as *.evil.example',
  (value) => {
    const parts = splitServerName(value.replaceAll(/[*?]/g, '0'));
    return parts !== undefined && parts.port === undefined ? value : undefined;
  },
);
