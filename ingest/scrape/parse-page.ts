import type { Exposition } from './exposition.ts'
import type { Page } from './fetch-page.ts'
import { parseExposition } from './parse-exposition.ts'
import { parseProtobufPage } from './parse-protobuf-page.ts'
import type { ScrapeJob } from './scrape-job.ts'

/** Reads a page in whichever format it came. Throws MALFORMED_MESSAGE, and then nothing counts. */
export function parsePage(
  { bytes, format }: Page,
  job: Pick<ScrapeJob, 'scrapeNativeHistograms' | 'alwaysScrapeClassicHistograms'>,
): Exposition {
  if (format !== 'protobuf') return parseExposition(bytes.toString('utf8'), format === 'openmetrics')
  return parseProtobufPage(bytes, {
    isNativeWanted: job.scrapeNativeHistograms,
    isClassicKept: job.alwaysScrapeClassicHistograms,
  })
}
