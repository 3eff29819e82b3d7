import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { Session } from '../server/session.ts';
import { Problem } from '../view/messages.ts';
import { TextField } from '../view/text-field.ts';
import { useAction } from '../view/use-action.ts';
import type { Device } from './devices.ts';
import { askWithPassword } from './with-password.ts';

type Props = { readonly session: Session; readonly device: Device; onDone(): void };

/** Logs a device out, for who knows the password. */
export function LogOutDevice({ session, device, onDone }: Props): ComponentChild {
  const [password, setPassword] = useState('');
  const [wrong, setWrong] = useState<string>();
  const { isBusy, problem, run } = useAction();

  async function go(): Promise<void> {
    setWrong(undefined);
    const path = `_matrix/client/v3/devices/${encodeURIComponent(device.id)}`;
    const { kind } = await askWithPassword(session, { method: 'DELETE', path, body: {} }, password);
    setPassword('');
    if (kind === 'done') onDone();
    else setWrong('The password is wrong.');
  }
  return h(
    'form',
    {
      class: 'inner',
      onSubmit(event: Event) {
        event.preventDefault();
        run(go);
      },
    },
    h('p', null, 'Encrypted messages that only this device can read are lost with it.'),
    h(TextField, {
      label: 'Your password',
      type: 'password',
      autocomplete: 'current-password',
      value: password,
      onInput: setPassword,
      isRequired: true,
    }),
    h(Problem, { text: wrong ?? problem }),
    h('button', { class: 'danger', disabled: isBusy }, isBusy ? 'Logging out …' : `Log out ${device.name}`),
  );
}
