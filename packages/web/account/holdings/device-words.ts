import { type ComponentChild, h } from 'preact';
import type { Device } from './devices.ts';

type Props = { readonly device: Device; readonly isThis: boolean };

/** By what a person can tell one of their devices. */
export function DeviceWords({ device, isThis }: Props): ComponentChild {
  const { id, name, seen, from } = device;
  const when = seen === undefined ? 'never used' : `last used ${seen.toLocaleString()}`;
  return h(
    'span',
    null,
    h('bdi', null, name),
    h('small', null, `${isThis ? 'This page. ' : ''}${id}, ${when}${from === undefined ? '' : ` from ${from}`}`),
  );
}
