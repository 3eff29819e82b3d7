import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerName } from '@portico/protocol/ids/server-name.ts';
import type { Problem } from '../raw.ts';
import { readConfigFile } from '../read-file.ts';
import { parseRegistration, type Registration } from './registration.ts';

/** The files behind paths of files, and of folders of `.yaml` and `.yml` files. */
export function registrationFiles(paths: readonly string[]): readonly string[] {
  return paths.flatMap(filesOf);
}

/** Reads registrations, reporting everything that is wrong. */
export function readRegistrations(
  files: readonly string[],
  serverName: ServerName,
  problems: Problem[],
): readonly Registration[] {
  const registrations: Registration[] = [];
  for (const file of files) {
    const fields = readConfigFile(file, problems);
    const registration = fields.entries.size > 0 ? parseRegistration(fields, serverName, problems) : undefined;
    if (fields.entries.size === 0) problems.push({ origin: file, message: 'there is no registration in this file' });
    if (registration === undefined) continue;
    for (const message of clashes(registration, registrations)) problems.push({ origin: file, message });
    registrations.push(registration);
  }
  return registrations;
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
  return names.sort().map((name) => join(path, name));
}

/** "each `as_token` and `id` MUST be unique per application service […]. The homeserver MUST enforce this." */
function clashes(added: Registration, known: readonly Registration[]): string[] {
  const messages: string[] = [];
  for (const { id, asToken, senderLocalpart } of known) {
    if (id === added.id) messages.push(`id is ${JSON.stringify(id)}: another registration has it already`);
    if (asToken === added.asToken) messages.push(`as_token is (not shown): that of ${JSON.stringify(id)} is the same`);
    if (senderLocalpart === added.senderLocalpart) {
      messages.push(
        `sender_localpart is ${JSON.stringify(senderLocalpart)}: that of ${JSON.stringify(id)} is the same`,
      );
    }
  }
  return messages;
}
