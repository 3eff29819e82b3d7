import { type ComponentChild, h } from 'preact';
import type { Session } from '../server/session.ts';
import { Waiting } from '../view/messages.ts';
import { useLoaded } from '../view/use-loaded.ts';
import { DeviceWords } from './device-words.ts';
import { type Device, readDevices } from './devices.ts';
import { lostKeys } from './lost-keys.ts';
import { PasswordForm } from './password-form.ts';

type Props = { readonly session: Session; onDone(ended: readonly Device[]): void; onKeep(): void };

/** Logs out every device but the page's own, for who knows the password and has been told which. */
export function LogOutOthers({ session, onDone, onKeep }: Props): ComponentChild {
  // Somebody may have logged in since the page has read them.
  const { value, problem, reload } = useLoaded(() => readDevices(session));
  if (value === undefined) return h('div', { class: 'inner' }, h(Waiting, { problem, onRetry: reload }));
  const others = value.filter(({ id }) => id !== session.deviceId);
  return h(
    PasswordForm,
    {
      session,
      question: {
        method: 'POST',
        path: '_matrix/client/v3/delete_devices',
        body: { devices: others.map(({ id }) => id) },
      },
      flaw: others.length === 0 ? 'You are logged in nowhere else.' : undefined,
      words: { go: 'Log out everywhere else', going: 'Logging out …', keep: 'Keep them' },
      onDone: () => onDone(others),
      onKeep,
    },
    h('p', null, 'These are logged out:'),
    h(
      'ul',
      { class: 'entries' },
      others.map((device) => h('li', { key: device.id }, h(DeviceWords, { device, isThis: false }))),
    ),
    h('p', null, lostKeys),
  );
}
