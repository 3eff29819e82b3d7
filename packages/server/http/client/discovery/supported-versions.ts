/**
 * What this server says it can do. A version is listed once everything that clients do on seeing it works; clients test
 * for exact versions, so gaps would do no harm, and too many would.
 *
 * v1.3: relations, refresh tokens. v1.4: threads, private and threaded receipts. v1.6: events by time. v1.7: asynchronous
 * uploads, mentions. v1.10: recursive relations. v1.11: media with an access token. v1.13, v1.14: reports of rooms and
 * people. v1.15: summaries of rooms, OAuth 2.0 where the operator wants it. v1.16: profile fields, `state_after`. v1.17: bridges that make devices and act as
 * them, no more mentions by name. v1.18: policy servers of rooms are asked, administrators lock and suspend. v1.19: mutual rooms.
 * What these versions leave to the server's choice may be missing: guests, phone numbers, terms of service at registration
 * (v1.11), rooms that are forgotten upon leaving, being a policy server (v1.18).
 */
export const supportedVersions: readonly string[] = Array.from({ length: 19 }, (_, before) => `v1.${before + 1}`);

/**
 * By the flags that clients look for. Only what is there and works. Not those of names that nobody uses beside the stable
 * ones (`org.matrix.msc3440`, `org.matrix.msc3952_intentional_mentions`: `io.element.thread` is no relation here), nor of
 * rooms whose encryption the server insists on (`io.element.e2ee_forced`), which are not there. QR login (`org.matrix.msc4108`) is
 * there where OAuth 2.0 is.
 */
export const unstableFeatures: Readonly<Record<string, boolean>> = {
  'com.beeper.msc4169': true,
  'events.matrix-community.presence_sharing_config': true,
  'fi.mau.msc2246.stable': true,
  'fi.mau.msc2659.stable': true,
  'org.matrix.msc2285.stable': true,
  'org.matrix.msc3026.busy_presence': true,
  'org.matrix.msc3030': true,
  'org.matrix.msc3030.stable': true,
  'org.matrix.msc3391': true,
  'org.matrix.msc3440.stable': true,
  'org.matrix.msc3771': true,
  'org.matrix.msc3773': true,
  'org.matrix.msc3814': true,
  'org.matrix.msc3827.stable': true,
  'org.matrix.msc3874': true,
  'org.matrix.msc3856': true,
  'org.matrix.msc3856.stable': true,
  'org.matrix.msc3881': true,
  'org.matrix.msc3882': true,
  'org.matrix.msc3890': true,
  'org.matrix.msc3912': true,
  'org.matrix.msc3916.stable': true,
  'org.matrix.msc3981': true,
  'org.matrix.simplified_msc3575': true,
  'org.matrix.msc4028': true,
  'org.matrix.msc4140': true,
  'org.matrix.msc4140.stable': true,
  'org.matrix.msc4143': true,
  'org.matrix.msc4155': true,
  'org.matrix.msc4380': true,
  'org.matrix.msc4380.stable': true,
  'org.matrix.msc4306': true,
  'org.matrix.msc4354': true,
  'uk.timedout.msc4323': true,
  'uk.timedout.msc4323.stable': true,
  'uk.half-shot.msc2666.query_mutual_rooms': true,
  'uk.half-shot.msc2666.query_mutual_rooms.stable': true,
  'uk.tcpip.msc4133': true,
  'uk.tcpip.msc4133.stable': true,
};
