import { resolve } from 'node:path'
import { z } from 'zod'
import { createSecret } from '../../runtime/secret.ts'
import type { HttpSettings, TlsClientSettings } from '../receiver.ts'
import type { SecretSource } from '../secret-source.ts'
import { text } from './value-schemas.ts'

const secret = text.transform((value): SecretSource => ({ value: createSecret(value) }))

/** A secret that stands in the file. '' counts as none. */
export const secretValue = text.transform((value): SecretSource | null =>
  value === '' ? null : { value: createSecret(value) },
)

/** A secret that stands in another file, whose name is told from the configuration's folder. */
export function secretFile(folder: string) {
  return z
    .string()
    .transform((file): SecretSource | null => (file === '' ? null : { file: resolve(folder, file) }))
}

/** At most one of a key and its twin. Use with `superRefine`. */
export function exclusive(...keys: readonly string[]) {
  return (value: object, context: z.RefinementCtx) => {
    const present = keys.filter((key) => {
      const given = (value as Record<string, unknown>)[key]
      return given !== undefined && given !== null && given !== ''
    })
    if (present.length > 1) {
      context.addIssue({ code: 'custom', message: `at most one of ${keys.join(', ')} must be configured` })
    }
  }
}

/** No TLS settings of one's own. */
export const DEFAULT_TLS: TlsClientSettings = {
  caFile: null,
  ca: null,
  certFile: null,
  keyFile: null,
  serverName: null,
  insecureSkipVerify: false,
}

/** `tls_config`. */
export function tlsSchema(folder: string) {
  const file = z.string().transform((name) => (name === '' ? null : resolve(folder, name)))
  return z
    .strictObject({
      ca: z.string().optional(),
      ca_file: file.optional(),
      cert_file: file.optional(),
      key_file: file.optional(),
      server_name: z.string().optional(),
      insecure_skip_verify: z.boolean().optional(),
    })
    .superRefine(exclusive('ca', 'ca_file'))
    .refine((tls) => (tls.cert_file ?? null) === null || (tls.key_file ?? null) !== null, {
      message: 'cert_file needs key_file',
    })
    .transform(
      (tls): TlsClientSettings => ({
        caFile: tls.ca_file ?? null,
        ca: tls.ca ?? null,
        certFile: tls.cert_file ?? null,
        keyFile: tls.key_file ?? null,
        serverName: tls.server_name ?? null,
        insecureSkipVerify: tls.insecure_skip_verify ?? false,
      }),
    )
}

/** An `http_config` that says nothing. */
export const DEFAULT_HTTP: HttpSettings = {
  basicAuth: null,
  authorization: null,
  headers: [],
  tls: DEFAULT_TLS,
}

/** `http_config`. Redirects are never followed, whatever `follow_redirects` says. */
export function httpSchema(folder: string) {
  const file = secretFile(folder)
  const header = z.strictObject({
    values: z.array(secret).default([]),
    secrets: z.array(secret).default([]),
    files: z
      .array(z.string().transform((name): SecretSource => ({ file: resolve(folder, name) })))
      .default([]),
  })
  return z
    .strictObject({
      basic_auth: z
        .strictObject({
          username: z.string(),
          password: secretValue.optional(),
          password_file: file.optional(),
        })
        .superRefine(exclusive('password', 'password_file'))
        .optional(),
      authorization: z
        .strictObject({
          type: z.string().default('Bearer'),
          credentials: secretValue.optional(),
          credentials_file: file.optional(),
        })
        .superRefine(exclusive('credentials', 'credentials_file'))
        .optional(),
      bearer_token: secretValue.optional(),
      bearer_token_file: file.optional(),
      tls_config: tlsSchema(folder).optional(),
      http_headers: z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), header).optional(),
      follow_redirects: z.boolean().optional(),
      enable_http2: z.boolean().optional(),
    })
    .superRefine(exclusive('basic_auth', 'authorization', 'bearer_token', 'bearer_token_file'))
    .transform((http): HttpSettings => {
      const bearer = http.bearer_token ?? http.bearer_token_file ?? null
      const basic = http.basic_auth
      const given = http.authorization
      return {
        basicAuth:
          basic === undefined
            ? null
            : { username: basic.username, password: basic.password ?? basic.password_file ?? null },
        authorization:
          given !== undefined
            ? { type: given.type, credentials: given.credentials ?? given.credentials_file ?? null }
            : bearer === null
              ? null
              : { type: 'Bearer', credentials: bearer },
        headers: Object.entries(http.http_headers ?? {}).map(([name, value]) => ({
          name,
          values: [...value.values, ...value.secrets, ...value.files],
        })),
        tls: http.tls_config ?? DEFAULT_TLS,
      }
    })
}
