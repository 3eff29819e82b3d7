/** What somebody was led to the page for by an app that cannot do it itself. */
export type Errand =
  | { readonly kind: 'devices' }
  | { readonly kind: 'device'; readonly deviceId: string; readonly wantsOut: boolean }
  | { readonly kind: 'close' };

/** With the names that the proposal had, which apps in use still write. */
const actions: Readonly<Record<string, 'list' | 'view' | 'delete' | 'close'>> = {
  'org.matrix.devices_list': 'list',
  'org.matrix.sessions_list': 'list',
  'org.matrix.device_view': 'view',
  'org.matrix.session_view': 'view',
  'org.matrix.device_delete': 'delete',
  'org.matrix.session_end': 'delete',
  'org.matrix.account_deactivate': 'close',
};

const parameters = ['action', 'device_id'];

/** {@link https://spec.matrix.org/v1.19/client-server-api/#account-management-url-parameters} */
export function readErrand(address: URL): Errand | undefined {
  const [action = '', deviceId] = parameters.map((name) => address.searchParams.get(name) ?? undefined);
  const wanted = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (wanted === undefined) return undefined;
  if (wanted === 'close') return { kind: 'close' };
  if (wanted === 'list' || deviceId === undefined) return { kind: 'devices' };
  return { kind: 'device', deviceId, wantsOut: wanted === 'delete' };
}

/** Has another address lead to the same errand. */
export function keepErrand(from: URL, to: URL): void {
  for (const name of parameters) {
    const value = from.searchParams.get(name);
    if (value !== null) to.searchParams.set(name, value);
  }
}
