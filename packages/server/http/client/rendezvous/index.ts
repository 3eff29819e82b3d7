import type { Endpoint } from '../../endpoint.ts';
import { etagRendezvousEndpoints, type EtagRendezvousServices } from './etag-rendezvous.ts';
import { sequencedRendezvousEndpoints, type SequencedRendezvousServices } from './sequenced-rendezvous.ts';

/** Where devices meet that log each other in with a QR code: apps speak the older form, the newer one, or both. */
export const rendezvousEndpoints: readonly Endpoint<EtagRendezvousServices & SequencedRendezvousServices>[] = [
  ...etagRendezvousEndpoints,
  ...sequencedRendezvousEndpoints,
];
