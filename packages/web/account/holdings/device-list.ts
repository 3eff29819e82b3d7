import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { Session } from '../server/session.ts';
import { Status, Waiting } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { useLoaded } from '../view/use-loaded.ts';
import { type Device, readDevices } from './devices.ts';
import { LogOutDevice } from './log-out-device.ts';

export function DeviceList({ session }: { readonly session: Session }): ComponentChild {
  const { value, problem, reload } = useLoaded(() => readDevices(session));
  const [chosen, choose] = useState<string>();
  const [message, setMessage] = useState<string>();
  return h(
    Section,
    {
      title: 'My devices',
      hint: 'Where you are logged in. If you do not know one of them, log it out, and change your password.',
    },
    h(Status, { text: message }),
    value === undefined
      ? h(Waiting, { problem, onRetry: reload })
      : h(
          'ul',
          { class: 'entries' },
          value.map((device) =>
            h(
              'li',
              { key: device.id },
              h(DeviceWords, { device, isThis: device.id === session.deviceId }),
              device.id === session.deviceId
                ? null
                : h(
                    'button',
                    {
                      type: 'button',
                      'aria-label': `Log out ${device.name} (${device.id})`,
                      'aria-expanded': chosen === device.id,
                      onClick: () => choose(chosen === device.id ? undefined : device.id),
                    },
                    'Log out …',
                  ),
              chosen !== device.id
                ? null
                : h(LogOutDevice, {
                    session,
                    device,
                    onDone() {
                      choose(undefined);
                      setMessage(`${device.name} is logged out.`);
                      reload();
                    },
                  }),
            ),
          ),
        ),
  );
}

function DeviceWords({ device, isThis }: { readonly device: Device; readonly isThis: boolean }): ComponentChild {
  const { id, name, seen, from } = device;
  const when = seen === undefined ? 'never used' : `last used ${seen.toLocaleString()}`;
  return h(
    'span',
    null,
    h('bdi', null, name),
    h('small', null, `${isThis ? 'This page. ' : ''}${id}, ${when}${from === undefined ? '' : ` from ${from}`}`),
  );
}
