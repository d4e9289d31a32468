import { z } from 'zod'
import { byteSizeSetting, durationSetting } from '../../model/config-values.ts'
import { isClassicLabelName } from '../../model/labels.ts'
import { TARGET_FILE_NAME } from './list-target-files.ts'
import { relabelRule } from './relabel-rule.ts'
import { SCRAPE_PROTOCOLS } from './scrape-protocols.ts'

const interval = durationSetting.refine((ms) => ms >= 100, {
  message: 'expected a duration of at least 100ms',
})
const file = z.string().min(1)

const ADDRESS = /^[^\s/]+$/

const labels = z
  .record(
    z.string().refine(isClassicLabelName, { message: 'expected the name of a label' }),
    z.union([z.string(), z.number(), z.boolean()]).transform(String),
  )
  .default({})

/** Targets that have labels in common. What a target is said by may be anything that relabelling makes an address of. */
export const targetGroup = z.strictObject({ targets: z.array(z.string().min(1)), labels })

/** A group of targets, parsed. */
export type TargetGroup = Readonly<z.output<typeof targetGroup>>

const fileDiscovery = z.strictObject({
  files: z
    .array(
      z.string().regex(TARGET_FILE_NAME, {
        message: 'expected a name that ends in .json, .yml or .yaml, * only in its last part',
      }),
    )
    .min(1),
  refreshInterval: interval.prefault('5m'),
})

const tlsConfig = z.strictObject({
  caFile: file.optional(),
  certFile: file.optional(),
  keyFile: file.optional(),
  serverName: z.string().min(1).optional(),
  insecureSkipVerify: z.boolean().default(false),
})

const protocol = z.enum(SCRAPE_PROTOCOLS)

/** Formats to ask for, the preferred one first. */
export const protocolList = z
  .array(protocol)
  .min(1)
  .refine((list) => new Set(list).size === list.length, { message: 'expected each format once' })

const limit = z.int().min(0).default(0)

/**
 * One job, with Prometheus' names in camel case, and its defaults. Durations in milliseconds; absent: the section's. Limits: 0 is none.
 */
export const scrapeJob = z
  .strictObject({
    jobName: z.string().min(1),
    scrapeInterval: interval.optional(),
    scrapeTimeout: interval.optional(),
    metricsPath: z.string().startsWith('/').default('/metrics'),
    scheme: z
      .string()
      .transform((text) => text.toLowerCase())
      .pipe(z.enum(['http', 'https']))
      .default('http'),
    params: z.record(z.string(), z.array(z.string())).default({}),
    /** Whether a label that the page gives counts when the target has it too; else the page's is renamed to `exported_…`. */
    honorLabels: z.boolean().default(false),
    /** Whether times on the page count. */
    honorTimestamps: z.boolean().default(true),
    followRedirects: z.boolean().default(true),
    /** Absent: Prometheus' protobuf format, then texts, where native histograms are wanted; else texts. */
    scrapeProtocols: protocolList.optional(),
    /** How a page is read whose type is none of them. */
    fallbackScrapeProtocol: protocol.optional(),
    scrapeNativeHistograms: z.boolean().default(false),
    /** Whether a native histogram that is exposed as a classic one too is taken as both. */
    alwaysScrapeClassicHistograms: z.boolean().default(false),
    /** Buckets of a native histogram: those of one with more are merged. */
    nativeHistogramBucketLimit: limit,
    /** Buckets that grow by less from one to the next are merged. */
    nativeHistogramMinBucketFactor: z.number().min(0).default(0),
    staticConfigs: z.array(targetGroup).default([]),
    /** Files of targets, which are looked at again when they change. */
    fileSdConfigs: z.array(fileDiscovery).default([]),
    relabelConfigs: z.array(relabelRule).default([]),
    metricRelabelConfigs: z.array(relabelRule).default([]),
    /** Samples of one page; more fail the scrape. */
    sampleLimit: limit,
    labelLimit: limit,
    labelNameLengthLimit: limit,
    labelValueLengthLimit: limit,
    bodySizeLimit: byteSizeSetting.prefault(0),
    basicAuth: z
      .strictObject({
        username: z.string().min(1),
        passwordFile: file.optional(),
      })
      .optional(),
    authorization: z
      .strictObject({
        type: z.string().min(1).default('Bearer'),
        credentialsFile: file.optional(),
      })
      .optional(),
    tlsConfig: tlsConfig.prefault({}),
  })
  .superRefine(({ relabelConfigs, staticConfigs }, context) => {
    if (relabelConfigs.length > 0) return
    for (const [at, { targets }] of staticConfigs.entries()) {
      for (const [index, target] of targets.entries()) {
        if (ADDRESS.test(target)) continue
        const message = 'expected host:port, without a scheme or a path'
        context.addIssue({ code: 'custom', path: ['staticConfigs', at, 'targets', index], message })
      }
    }
  })

/** A job, parsed: plain data. */
export type ScrapeJob = Readonly<z.output<typeof scrapeJob>>
