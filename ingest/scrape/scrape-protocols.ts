/** The formats that can be asked of a target, by Prometheus' names, and how they stand in an `Accept` header. */
const MEDIA_TYPES = {
  PrometheusProto:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0;escaping=allow-utf-8',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
} as const

/** The name of a format in Prometheus' `scrape_protocols`. */
export type ScrapeProtocol = keyof typeof MEDIA_TYPES

/** All of them, the ones that tell more first: what is asked for where native histograms are wanted. */
export const SCRAPE_PROTOCOLS = Object.keys(MEDIA_TYPES) as readonly ScrapeProtocol[]

const TEXTS = SCRAPE_PROTOCOLS.filter((protocol) => protocol !== 'PrometheusProto')

/** How a page is to be read. */
export type PageFormat = 'protobuf' | 'openmetrics' | 'text'

const FORMATS: Readonly<Record<string, PageFormat>> = {
  'application/vnd.google.protobuf': 'protobuf',
  'application/openmetrics-text': 'openmetrics',
  'text/plain': 'text',
}

/** The `Accept` header for formats in the order of preference, as Prometheus writes it: anything else comes last. */
export function acceptHeader(protocols: readonly ScrapeProtocol[]): string {
  const most = SCRAPE_PROTOCOLS.length + 1
  return [...protocols.map((protocol) => MEDIA_TYPES[protocol]), '*/*']
    .map((type, index) => `${type};q=0.${most - index}`)
    .join(',')
}

/** The formats that a job asks for: those it names, else the protobuf format first where it wants native histograms, else texts only. */
export function wantedProtocols(job: {
  readonly scrapeProtocols?: readonly ScrapeProtocol[] | undefined
  readonly scrapeNativeHistograms: boolean
}): readonly ScrapeProtocol[] {
  return job.scrapeProtocols ?? (job.scrapeNativeHistograms ? SCRAPE_PROTOCOLS : TEXTS)
}

/**
 * How to read a page with this `Content-Type`: `fallback` says it where the type is none of those that can be asked for. Without a fallback
 * it is the text format (Prometheus 2's rule; Prometheus 3 refuses the page).
 */
export function pageFormat(contentType: string, fallback: ScrapeProtocol | undefined): PageFormat {
  const mediaType = mediaTypeOf(contentType)
  return (
    FORMATS[mediaType] ?? FORMATS[mediaTypeOf(fallback === undefined ? '' : MEDIA_TYPES[fallback])] ?? 'text'
  )
}

function mediaTypeOf(text: string): string {
  return (text.split(';', 1)[0] ?? '').trim().toLowerCase()
}
