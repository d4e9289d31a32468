import { z } from 'zod'
import { alertingConfig } from '../alerting/config.ts'
import { ingestConfig } from '../ingest/config.ts'
import { scrapeConfig } from '../ingest/scrape/config.ts'
import { rulesConfig } from '../rules/config.ts'
import { httpConfig, logConfig, telemetryConfig } from '../runtime/config.ts'
import { clickHouseConfig, queryConfig, retentionConfig } from '../storage/config.ts'
import { demoConfig } from './demo/config.ts'

/** The whole configuration: each section is described in its room's `config.ts`. */
export const configSchema = z.strictObject({
  /** Where everything that must survive a restart is kept. */
  dataDir: z.string().min(1).default('./data'),
  http: httpConfig.prefault({}),
  ingest: ingestConfig.prefault({}),
  scrape: scrapeConfig.prefault({}),
  clickhouse: clickHouseConfig.prefault({}),
  retention: retentionConfig.prefault({}),
  query: queryConfig.prefault({}),
  rules: rulesConfig.prefault({}),
  alerting: alertingConfig.prefault({}),
  telemetry: telemetryConfig.prefault({}),
  log: logConfig.prefault({}),
  demo: demoConfig.prefault({}),
})

/** The configuration, parsed: durations in milliseconds, sizes in bytes. Frozen. */
export type Config = Readonly<z.output<typeof configSchema>>
