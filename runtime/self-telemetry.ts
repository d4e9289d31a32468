import type { Registry } from 'prom-client'
import type { TelemetryConfig } from './config.ts'
import type { Logger } from './logger.ts'

/** What self-telemetry is made from. */
export interface SelfTelemetryOptions {
  readonly config: TelemetryConfig
  readonly version: string
  readonly registry: Registry
  readonly logger: Logger
}

/** Our own telemetry, running or off. */
export interface SelfTelemetry {
  stop(): Promise<void>
}

export function startSelfTelemetry(_options: SelfTelemetryOptions): SelfTelemetry {
  return { stop: async () => undefined }
}
