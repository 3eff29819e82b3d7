import { isIP, type Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { OutboundError } from './outbound-error.ts';

/**
 * TLS on a connection, with a certificate for `name`.
 *
 * > a SNI should be sent for the certificate which is expected, unless that certificate is expected to be an IP address in
 * > which case SNI is not supported and should not be sent.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#tls}
 */
export async function handshake(
  socket: Socket,
  name: string,
  secureContext: SecureContext,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const secured = connect({
    socket,
    secureContext,
    // The certificate is checked against this where there is no `servername`.
    host: name,
    servername: isIP(name) === 0 ? name : '',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
  });
  const onAbort = (): void => reject(new OutboundError('timeout', `The TLS handshake with ${name} took too long`));
  signal.addEventListener('abort', onAbort, { once: true });
  secured.once('secureConnect', () => resolve(secured));
  secured.once('error', (cause) => reject(new OutboundError('tls', `TLS with ${name}: ${cause.message}`, { cause })));
  secured.once('close', () => reject(new OutboundError('tls', `TLS with ${name}: the connection was closed`)));
  try {
    return await promise;
  } catch (error) {
    secured.on('error', () => undefined);
    secured.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
