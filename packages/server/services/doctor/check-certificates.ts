import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { splitServerName } from '@portico/protocol/ids/server-name.ts';
import type { Config } from '../../config/config.ts';
import { fail, type Finding, ok, reasonOf, warn } from './finding.ts';

const day = 86_400_000;
const soon = 14 * day;

/** The certificates of listeners; those of a reverse proxy are seen when the server's own address is asked. */
export function checkCertificates({ listeners, serverName }: Config, now: number): Finding[] {
  return listeners.flatMap(({ tls, serve, port }, index) => {
    if (tls === undefined) return [];
    const about = `listeners[${index}].tls`;
    const renew = 'Renew the certificate, and restart the server: it reads it at its start.';
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(readFileSync(tls.certificate));
    } catch (error) {
      return [fail(about, `${tls.certificate}: ${reasonOf(error)}`, 'It must be a certificate in PEM format.')];
    }
    const ends = certificate.validToDate;
    const until = `${tls.certificate} is valid until ${ends.toISOString()}`;
    const left = ends.getTime() - now;
    const time = left < 0 ? fail(about, until, renew) : left < soon ? warn(about, until, renew) : ok(about, until);
    const host = splitServerName(serverName)?.host ?? '';
    const isForServers = serve.includes('federation') && port === 8448;
    if (!isForServers || certificate.checkHost(host) !== undefined || certificate.checkIP(host) !== undefined) {
      return [time];
    }
    const text = `the certificate is not for ${host}`;
    return [
      time,
      warn(about, text, 'Other servers want one for the server name, unless a well-known file leads elsewhere.'),
    ];
  });
}
