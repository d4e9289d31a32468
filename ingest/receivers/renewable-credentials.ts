import type { SecureServerOptions } from 'node:http2'
import { ServerCredentials } from '@grpc/grpc-js'
import type { TlsMaterial } from '../../runtime/tls.ts'

/** TLS of a gRPC server whose certificates can be renewed while it listens. A class because the library tells its servers so, and nobody else. */
export class RenewableCredentials extends ServerCredentials {
  constructor(tls: TlsMaterial) {
    const options = optionsOf(tls)
    super(options, options)
  }

  /** New connections are made with it; those that are open keep theirs. It must be usable: the server would let nobody in. */
  renew(tls: TlsMaterial): void {
    this.updateSecureContextOptions(optionsOf(tls))
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other
  }
}

/** As the library's own credentials have them. */
function optionsOf(tls: TlsMaterial): SecureServerOptions {
  const { ca = null, key, cert, requestCert } = tls
  const plain = ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], requestCert)
  return { ...plain._getConstructorOptions(), ...plain._getSecureContextOptions() }
}
