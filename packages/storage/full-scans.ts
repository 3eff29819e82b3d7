/**
 * Statements that may read a whole table or a whole index, by name, each with the reason why that is bounded. A test
 * fails on any other one.
 */
export const allowedFullScans: ReadonlyMap<string, string> = new Map([
  ['published-rooms.largest', 'the directory is read once, when it is first asked for'],
  ['search.delete', 'a full text index is looked into by row ID, which the plan calls a scan'],
  ['presence.present', 'everyone who has ever set a presence, once at the start'],
  ['account-jobs.release', 'of those that are not done yet, when a process starts'],
  [
    'erasure.redacted-originals',
    'what redactions took away is kept for days, and looked through once for each erasure',
  ],
  ['erasure.names-on-aliases', 'the aliases of this server, once for each erasure'],
  ['network-rooms.largest-anywhere', 'the directory of all networks is read once, when it is first asked for'],
  ['app-services.delete-others', 'a row for each bridge, once at the start'],
  ['app-services.delete-members-of-others', 'a row for each bridge, once at the start'],
  ['federation-outgoing.behind', 'every server that shares a room with this one, once at the start'],
  ['federation-destinations.release', 'the servers that a process sent to, once it is gone'],
  ['push-deliveries.pushed-users', 'everyone who has pushers, once at the start'],
  ['sticky-events.held', 'of those that have to wait for others to end, once a minute'],
  ['sticky-events.soft-failed-rooms', 'of those that failed softly and have not ended, once at the start'],
  ['sticky-arrivals.first', 'servers that came into rooms a moment ago, when one has'],
  ['sticky-deliveries.any', 'whether there is any, once a minute'],
  ['sticky-deliveries.delete', 'what is being sent to servers that came into rooms, once a minute'],
  ['processes.all', 'a row for each process of this server'],
  ['late-events.count-attempt', 'the events that were under way when the last process ended, once at the start'],
  ['late-events.delete-tried', 'the same'],
  ['pending-redactions.overdue', 'once, when the server starts, of redactions whose targets never came'],
  ['accounts.demote-administrator', 'the administrators, of whom there are few, by an index of nobody else'],
  ...[
    ...['name', 'creation', 'admin', 'locked', 'suspended'].flatMap((order) =>
      ['', 'count-', 'last-'].flatMap((what) => [`${what}by-${order}`, `${what}by-${order}-desc`]),
    ),
    'sorted',
    'sorted-desc',
  ].map(
    (name) =>
      [`account-list.${name}`, 'a list that is made by an index and has an end, of ten thousand accounts'] as const,
  ),
  ['sso-logins.make-room', 'at most five thousand, for those who log in by way of another service'],
  ['oauth-requests.make-room', 'the same'],
  ['oauth-device-grants.make-room', 'the same'],
  ['rendezvous.make-room', 'at most a thousand, when two devices meet'],
  [
    'oauth-clients.make-room',
    'the apps that people use here, and five thousand that nobody does, when a client is new',
  ],
  ['room-list.count', 'ten thousand rooms, of which nothing is read'],
  ['room-list.largest', 'ten thousand rooms, by an index that has the largest first'],
  ['room-list.smallest', 'ten thousand rooms, by the same index from its end'],
]);
