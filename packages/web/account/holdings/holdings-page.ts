import { type ComponentChild, h } from 'preact';
import type { PageProps } from '../page-props.ts';
import { CloseAccount } from './close-account.ts';
import { DeviceList } from './device-list.ts';
import { Export } from './export.ts';

export function HoldingsPage({ session, onEnd }: PageProps): ComponentChild {
  return h('div', null, h(Export, { session }), h(DeviceList, { session }), h(CloseAccount, { session, onEnd }));
}
