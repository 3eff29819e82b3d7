import { type ComponentChild, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageProps } from '../page-props.ts';
import { Done, type Said, Status, Waiting } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { Unfold } from '../view/unfold.ts';
import { useLoaded } from '../view/use-loaded.ts';
import { DeviceWords } from './device-words.ts';
import { type Device, readDevices } from './devices.ts';
import { LogOutDevice } from './log-out-device.ts';
import { LogOutOthers } from './log-out-others.ts';

type OnEnded = (ended: readonly Device[]) => void;

type Props = Pick<PageProps, 'session' | 'errand'>;

export function DeviceList({ session, errand }: Props): ComponentChild {
  const { value, problem, reload } = useLoaded(() => readDevices(session));
  const [said, say] = useState<Said>();
  const meant = errand?.kind === 'device' ? errand.deviceId : undefined;
  const isGone = said === undefined && meant !== undefined && value?.every(({ id }) => id !== meant) === true;

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
    h(Status, { text: isGone ? 'The device that you were led here for is not logged in any more.' : undefined }),
    value === undefined
      ? h(Waiting, { problem, onRetry: reload })
      : h(
          'ul',
          { class: 'entries' },
          value.map((device) => h(DeviceRow, { key: device.id, session, errand, device, onEnded })),
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

type RowProps = Props & { readonly device: Device; readonly onEnded: OnEnded };

function DeviceRow({ session, errand, device, onEnded }: RowProps): ComponentChild {
  const isThis = device.id === session.deviceId;
  const isMeant = errand?.kind === 'device' && errand.deviceId === device.id;
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isMeant && !errand.wantsOut) row.current?.focus();
  }, []);
  return h(
    'li',
    isMeant ? { ref: row, tabIndex: -1, 'aria-current': 'true' } : null,
    h(DeviceWords, { device, isThis }),
    isThis
      ? null
      : h(Unfold, {
          label: 'Log out …',
          name: `Log out ${device.name} (${device.id})`,
          isFoundOpen: isMeant && errand.wantsOut,
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
