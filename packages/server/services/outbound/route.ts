export type Target = { readonly host: string; readonly port: number };

/** Where a request goes, and as whom it asks for. */
export type Route = {
  /** Names or IP addresses to connect to, the first that answers. */
  readonly targets: readonly Target[];
  /** The `Host` header. */
  readonly host: string;
  /** The name that the certificate must prove, or an IP address; `undefined` without TLS. */
  readonly certificateName: string | undefined;
  /** Whether these targets may be private addresses, whatever the configuration says: bridges. */
  readonly mayBePrivate?: boolean;
};

/** Routes with the same key share connections. */
export function routeKey({ targets, host, certificateName, mayBePrivate = false }: Route): string {
  return JSON.stringify([
    certificateName ?? null,
    host,
    mayBePrivate,
    ...targets.map(({ host, port }) => [host, port]),
  ]);
}
