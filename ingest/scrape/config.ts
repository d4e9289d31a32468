import { z } from 'zod'
import { durationSetting } from '../../model/config-values.ts'
import { scrapeJob } from './scrape-job.ts'

const interval = durationSetting.refine((ms) => ms >= 100, {
  message: 'expected a duration of at least 100ms',
})

/** A service whose endpoints are told by hand: what a ServiceMonitor chooses from. */
export const scrapeService = z.strictObject({
  name: z.string().min(1),
  namespace: z.string().min(1).default('default'),
  labels: z.record(z.string(), z.string()).default({}),
  /** Hosts behind it. */
  addresses: z.array(z.string().regex(/^[^\s/]+$/)),
  /** Port numbers by their names. */
  ports: z.record(z.string(), z.int().min(1).max(65_535)),
})

/** A service told by hand, parsed. */
export type ScrapeService = Readonly<z.output<typeof scrapeService>>

/** Section `scrape`: which targets are asked for their metrics. */
export const scrapeConfig = z.strictObject({
  /** Time between two scrapes, and how long one may take, where a job says nothing. */
  interval: interval.prefault('15s'),
  timeout: interval.prefault('10s'),
  jobs: z.array(scrapeJob).default([]),
  /** A Prometheus configuration file whose `scrape_configs` are taken over; null: none. */
  configFile: z.string().min(1).nullable().default(null),
  /** Files or patterns of ServiceMonitor and PodMonitor resources. */
  serviceMonitorFiles: z.array(z.string().min(1)).default([]),
  /** What the monitors choose from. */
  services: z.array(scrapeService).default([]),
})

/** Section `scrape`, parsed; durations in milliseconds. */
export type ScrapeConfig = Readonly<z.output<typeof scrapeConfig>>
