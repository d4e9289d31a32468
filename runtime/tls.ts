import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { AppError, errorMessage } from './errors.ts'

/** The files of a TLS listener, PEM. */
export interface TlsFileOptions {
  readonly certFile: string
  readonly keyFile: string
  /** When set, clients must show a certificate signed by one of these authorities. */
  readonly clientCaFile: string | null
}

/** What the files hold: options for `node:https`, `node:tls` and, piece by piece, for gRPC. */
export interface TlsMaterial {
  readonly cert: Buffer
  readonly key: Buffer
  readonly ca?: Buffer
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
  readonly minVersion: 'TLSv1.2'
}

/**
 * Reads certificate, key and client authorities, and checks that they are usable and belong together.
 * Throws AppError CANNOT_START that names the file.
 */
export function readTls(files: TlsFileOptions): TlsMaterial {
  const cert = readPem(files.certFile, 'certificate')
  const key = readPem(files.keyFile, 'private key')
  const ca = files.clientCaFile === null ? undefined : readPem(files.clientCaFile, 'client authorities')
  try {
    createSecureContext({ cert, key, ...(ca === undefined ? {} : { ca }) })
  } catch (error) {
    const named = ca === undefined ? '' : ` and ${files.clientCaFile}`
    throw new AppError(
      'CANNOT_START',
      `Cannot use the TLS files ${files.certFile}, ${files.keyFile}${named}: ${errorMessage(error)}`,
      { cause: error },
    )
  }
  const isRequired = ca !== undefined
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    requestCert: isRequired,
    rejectUnauthorized: isRequired,
    minVersion: 'TLSv1.2',
  }
}

function readPem(file: string, what: string): Buffer {
  let pem: Buffer
  try {
    pem = readFileSync(file)
  } catch (error) {
    throw new AppError('CANNOT_START', `Cannot read the TLS ${what} ${file}: ${errorMessage(error)}`, {
      cause: error,
    })
  }
  if (!pem.includes('-----BEGIN ')) {
    throw new AppError('CANNOT_START', `Cannot use the TLS ${what} ${file}: it is not in PEM form`)
  }
  return pem
}
