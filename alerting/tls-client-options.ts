import { readFileSync } from 'node:fs'
import type { TlsClientSettings } from './receiver.ts'

/** Options of `node:tls` for a receiver's `tls_config`. Throws the file system's errors when a certificate cannot be read. */
export function tlsClientOptions(tls: TlsClientSettings) {
  const ca = tls.ca ?? (tls.caFile === null ? null : readFileSync(tls.caFile))
  return {
    minVersion: 'TLSv1.2' as const,
    rejectUnauthorized: !tls.insecureSkipVerify,
    ...(ca === null ? {} : { ca }),
    ...(tls.certFile === null ? {} : { cert: readFileSync(tls.certFile) }),
    ...(tls.keyFile === null ? {} : { key: readFileSync(tls.keyFile) }),
    ...(tls.serverName === null ? {} : { servername: tls.serverName }),
  }
}
