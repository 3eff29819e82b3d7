import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { PageProps } from '../page-props.ts';
import { ChangePassword } from './change-password.ts';
import { CloseAccount } from './close-account.ts';
import { DeviceList } from './device-list.ts';
import { Export } from './export.ts';
import { LinksSection } from './links-section.ts';

export function HoldingsPage({ session, errand, onEnd }: PageProps): ComponentChild {
  const [round, setRound] = useState(0);
  return h(
    'div',
    null,
    h(Export, { session }),
    h(DeviceList, { key: round, session, errand }),
    h(ChangePassword, { session, onOthersEnded: () => setRound(round + 1) }),
    h(LinksSection, { session }),
    h(CloseAccount, { session, errand, onEnd }),
  );
}
