import type { Endpoint } from '../endpoint.ts';

/** The services that the endpoints of the client-server API are made of. */
export type ClientServices = object;

/** Every endpoint of the client-server API. */
export const clientEndpoints: readonly Endpoint<ClientServices>[] = [];
