import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { Session } from '../server/session.ts';
import { Done, type Said, Waiting } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { Unfold } from '../view/unfold.ts';
import { useLoaded } from '../view/use-loaded.ts';
import { DeviceWords } from './device-words.ts';
import { type Device, readDevices } from './devices.ts';
import { LogOutDevice } from './log-out-device.ts';
import { LogOutOthers } from './log-out-others.ts';

type OnEnded = (ended: readonly Device[]) => void;

export function DeviceList({ session }: { readonly session: Session }): ComponentChild {
  const { value, problem, reload } = useLoaded(() => readDevices(session));
  const [said, say] = useState<Said>();

  function onEnded(ended: readonly Device[]): void {
    const [first] = ended;
    say({ text: ended.length === 1 ? `${first?.name} is logged out.` : `${ended.length} devices are logged out.` });
    reload();
  }
  return h(
    Section,
    {
      title: 'My devices',
      hint: 'Where you are logged in. If you do not know one of them, log it out, and change your password.',
    },
    h(Done, { said }),
    value === undefined
      ? h(Waiting, { problem, onRetry: reload })
      : h(
          'ul',
          { class: 'entries' },
          value.map((device) => h(DeviceRow, { key: device.id, session, device, onEnded })),
        ),
    value?.some(({ id }) => id !== session.deviceId) === true
      ? h(Unfold, {
          label: 'Log out everywhere else …',
          show: (fold) =>
            h(LogOutOthers, {
              session,
              onKeep: fold,
              onDone(ended) {
                fold();
                onEnded(ended);
              },
            }),
        })
      : null,
  );
}

type RowProps = { readonly session: Session; readonly device: Device; readonly onEnded: OnEnded };

function DeviceRow({ session, device, onEnded }: RowProps): ComponentChild {
  const isThis = device.id === session.deviceId;
  return h(
    'li',
    null,
    h(DeviceWords, { device, isThis }),
    isThis
      ? null
      : h(Unfold, {
          label: 'Log out …',
          name: `Log out ${device.name} (${device.id})`,
          show: (fold) =>
            h(LogOutDevice, {
              session,
              device,
              onKeep: fold,
              onDone() {
                fold();
                onEnded([device]);
              },
            }),
        }),
  );
}
