import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import { dial } from './dial.ts';
import { handshake } from './handshake.ts';
import type { Network } from './network.ts';
import { OutboundError } from './outbound-error.ts';
import type { Route } from './route.ts';

type Options = {
  readonly network: Network;
  readonly trust: () => SecureContext;
  readonly allowPrivateAddresses: boolean;
  /** Milliseconds for names, connection and handshake together. */
  readonly connectTimeout: number;
};

/** Connects along a route: the target's name is looked up for the address, the certificate's name is proved. */
export async function openRoute(route: Route, options: Options): Promise<Socket> {
  const { network, trust, allowPrivateAddresses, connectTimeout } = options;
  const mayBePrivate = allowPrivateAddresses || route.mayBePrivate === true;
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), connectTimeout);
  const { signal } = controller;
  let failure: unknown = new OutboundError('unknown-host', `${route.host} says that it cannot be reached`);
  try {
    for (const target of route.targets) {
      try {
        const socket = await dial(target, { network, mayBePrivate, signal });
        return route.certificateName === undefined
          ? socket
          : await handshake(socket, route.certificateName, trust(), signal);
      } catch (error) {
        failure = error;
        if (signal.aborted) break;
      }
    }
    throw failure;
  } finally {
    clearTimeout(timer);
  }
}

/** The form in which undici wants it. */
export function createConnector(route: Route, options: Options): buildConnector.connector {
  const connect = async (callback: buildConnector.Callback): Promise<void> => {
    let socket: Socket;
    try {
      socket = await openRoute(route, options);
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    callback(null, socket);
  };
  return (_, callback) => void connect(callback);
}
