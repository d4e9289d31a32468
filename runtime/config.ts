import { z } from 'zod'
import { LOG_LEVELS } from './logger.ts'
import { secretSchema } from './secret.ts'

/** The schema of a port to listen on; 0: any free one. */
export const portSetting = z.int().min(0).max(65_535)

/** The schema of a file or folder name; null: none. */
export const pathSetting = z.string().min(1).nullable().default(null)

const certificatePair = {
  message: 'expected certFile and keyFile together, and clientCaFile only beside them',
}

/** Section `tls` of a listener. */
export const tlsConfig = z
  .strictObject({ certFile: pathSetting, keyFile: pathSetting, clientCaFile: pathSetting })
  .refine((tls) => (tls.certFile === null) === (tls.keyFile === null), certificatePair)
  .refine((tls) => tls.clientCaFile === null || tls.certFile !== null, certificatePair)

/** Section `tls`, parsed. */
export type TlsConfig = Readonly<z.output<typeof tlsConfig>>

/** Section `http`: the API server, and the access control and TLS of every listener. */
export const httpConfig = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: portSetting.default(9797),
  /** How users reach the API, for links in answers and notifications. */
  externalUrl: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .transform((url) => url.replace(/\/+$/, ''))
    .nullable()
    .default(null),
  auth: z
    .strictObject({
      tokensFile: pathSetting,
      /** True: listen beyond loopback although nothing protects it. */
      insecure: z.boolean().default(false),
    })
    .prefault({}),
  tls: tlsConfig.prefault({}),
})

/** Section `http`, parsed. */
export type HttpConfig = Readonly<z.output<typeof httpConfig>>

/** Section `telemetry`: our own traces and metrics. Off without an endpoint. */
export const telemetryConfig = z.strictObject({
  /** OTLP/HTTP endpoint without `/v1/…`: `http://collector:4318`. */
  endpoint: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .transform((url) => url.replace(/\/+$/, ''))
    .nullable()
    .default(null),
  token: secretSchema.nullable().default(null),
  tokenFile: pathSetting,
  serviceName: z.string().min(1).default('meshwatch'),
  /** Share of requests without a sampled parent that are traced, 0 to 1. */
  traceRatio: z.number().min(0).max(1).default(1),
  /** Time between two exports of metrics, milliseconds. */
  metricsInterval: z
    .string()
    .regex(/^[1-9]\d{0,3}[sm]$/, 'expected seconds or minutes, such as 30s or 1m')
    .transform((text) => Number(text.slice(0, -1)) * (text.endsWith('m') ? 60_000 : 1000))
    .prefault('30s'),
})

/** Section `telemetry`, parsed. */
export type TelemetryConfig = Readonly<z.output<typeof telemetryConfig>>

/** Section `log`. */
export const logConfig = z.strictObject({ level: z.enum(LOG_LEVELS).default('info') })

/** Section `log`, parsed. */
export type LogConfig = Readonly<z.output<typeof logConfig>>
