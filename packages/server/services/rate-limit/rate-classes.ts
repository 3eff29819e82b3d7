export type Rate = { readonly perSecond: number; readonly burst: number };

/** How often one user, or one address where there is no user, may do what. */
export const defaultRates = {
  /** An account takes clients three requests: what the stages are, a form without them, and then with the first of them. */
  register: { perSecond: 0.2, burst: 15 },
  /** Scripts make a school's accounts in a row, with two requests for each, and never come back when they are told to. */
  'shared-secret': { perSecond: 1, burst: 200 },
  login: { perSecond: 0.2, burst: 10 },
  /** Pages on which somebody logs in by way of another service: four or five for each login. */
  sso: { perSecond: 1, burst: 40 },
  /** Providers that log people out: all of an office in the evening, each with a signature to check. */
  'sso-logout': { perSecond: 20, burst: 500 },
  /** Pages on which somebody logs in as OAuth 2.0 has it, or lets an app in: three or four for each login. */
  'oauth-page': { perSecond: 1, burst: 40 },
  /** Each app does it once for each login, and the same app is kept once. */
  'oauth-client': { perSecond: 0.2, burst: 20 },
  /** Codes that devices show: ten guesses, and six a minute, of 25 thousand million. */
  'oauth-user-code': { perSecond: 0.1, burst: 10 },
  /** Two devices that meet: one opens a place for that, and both look there every second. */
  rendezvous: { perSecond: 0.2, burst: 20 },
  'rendezvous-message': { perSecond: 10, burst: 200 },
  /** Each device refreshes its tokens every hour; one that waits to be let in asks every few seconds. */
  'oauth-token': { perSecond: 2, burst: 60 },
  /** Wrong passwords for one account, from wherever they come. */
  'failed-login': { perSecond: 0.1, burst: 5 },
  'probe-name': { perSecond: 1, burst: 20 },
  /** What takes a password of somebody who is logged in. */
  'own-password': { perSecond: 0.2, burst: 20 },
  /** "Servers are encouraged to apply stricter than normal rate limiting". Each takes two requests. */
  'login-token': { perSecond: 0.04, burst: 6 },
  /** Emails to one address, whoever asks for them. */
  'email-to-address': { perSecond: 1 / 600, burst: 5 },
  'request-token': { perSecond: 0.1, burst: 10 },
  'submit-token': { perSecond: 0.5, burst: 20 },
  refresh: { perSecond: 1, burst: 30 },
  profile: { perSecond: 20, burst: 500 },
  'set-profile': { perSecond: 1, burst: 30 },
  devices: { perSecond: 2, burst: 60 },
  'create-room': { perSecond: 0.2, burst: 10 },
  join: { perSecond: 0.5, burst: 20 },
  invite: { perSecond: 0.5, burst: 30 },
  /** Invitations of one person by people of one other server. A community that moves invites somebody to all its rooms at once. */
  'invite-from-server': { perSecond: 1 / 120, burst: 100 },
  knock: { perSecond: 0.2, burst: 10 },
  upgrade: { perSecond: 0.05, burst: 5 },
  directory: { perSecond: 2, burst: 50 },
  alias: { perSecond: 0.5, burst: 20 },
  report: { perSecond: 0.05, burst: 10 },
  privacy: { perSecond: 2, burst: 50 },
  /** Reads all that there is of a person. */
  export: { perSecond: 1 / 1800, burst: 2 },
  'reject-invites': { perSecond: 0.1, burst: 10 },
  openid: { perSecond: 0.2, burst: 10 },
  'turn-server': { perSecond: 0.5, burst: 20 },
  /** A call is kept up by restarting one every few seconds, for all its people from one address. */
  'delayed-event': { perSecond: 20, burst: 200 },
  send: { perSecond: 10, burst: 100 },
  'account-data': { perSecond: 5, burst: 100 },
  receipt: { perSecond: 20, burst: 200 },
  presence: { perSecond: 1, burst: 30 },
  'get-presence': { perSecond: 10, burst: 100 },
  typing: { perSecond: 10, burst: 100 },
  'to-device': { perSecond: 20, burst: 300 },
  /** Servers that this one never had to do with: few people ever write to one, and something waits for each. */
  'first-contact': { perSecond: 1 / 1200, burst: 1000 },
  search: { perSecond: 1, burst: 20 },
  'user-directory': { perSecond: 5, burst: 50 },
  'push-rules': { perSecond: 2, burst: 60 },
  pushers: { perSecond: 1, burst: 30 },
  upload: { perSecond: 2, burst: 60 },
  /** A room full of people is a page full of avatars. */
  'get-media': { perSecond: 50, burst: 1000 },
  /** A room full of links is a page full of previews; each may make us ask two other servers. */
  preview: { perSecond: 2, burst: 100 },
  filter: { perSecond: 1, burst: 30 },
  /** Unsigned, and may make us ask other servers. */
  'key-query': { perSecond: 10, burst: 200 },
  /** Unsigned, and each may make us ask a hundred times. */
  'on-bind': { perSecond: 0.2, burst: 10 },
} as const satisfies Record<string, Rate>;

export type RateClass = keyof typeof defaultRates;
