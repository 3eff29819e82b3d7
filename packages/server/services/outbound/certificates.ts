import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/** The authorities whose certificates we believe: the well-known ones, and those in a file. Read when first needed. */
export function lazyTrust(trustedCaFile: string | undefined): () => SecureContext {
  let context: SecureContext | undefined;
  return () => {
    context ??= createSecureContext({
      minVersion: 'TLSv1.2',
      // Only where there are more: the well-known ones are cheap as long as nobody names them.
      ...(trustedCaFile !== undefined && {
        ca: [...getCACertificates('default'), readFileSync(trustedCaFile, 'utf8')],
      }),
    });
    return context;
  };
}
