import { type ComponentChild, h } from 'preact';
import type { Session } from '../server/session.ts';
import type { Device } from './devices.ts';
import { PasswordForm } from './password-form.ts';

type Props = { readonly session: Session; readonly device: Device; onDone(): void; onKeep(): void };

/** Logs a device out, for who knows the password. */
export function LogOutDevice({ session, device, onDone, onKeep }: Props): ComponentChild {
  return h(
    PasswordForm,
    {
      session,
      question: { method: 'DELETE', path: `_matrix/client/v3/devices/${encodeURIComponent(device.id)}`, body: {} },
      words: { go: `Log out ${device.name}`, going: 'Logging out …', keep: 'Keep it' },
      onDone,
      onKeep,
    },
    h('p', null, 'Encrypted messages that only this device can read are lost with it.'),
  );
}
