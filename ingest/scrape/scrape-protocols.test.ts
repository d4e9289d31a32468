import { describe, expect, test } from 'vitest'
import { scrapeJob } from './scrape-job.ts'
import { acceptHeader, pageFormat, wantedProtocols } from './scrape-protocols.ts'

const asked = (job: object) => acceptHeader(wantedProtocols(scrapeJob.parse({ jobName: 'j', ...job })))

describe('what a job asks for', () => {
  test('texts, and the protobuf format first where native histograms are wanted', () => {
    const texts = [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8',
      'application/openmetrics-text;version=0.0.1',
      'text/plain;version=1.0.0;escaping=allow-utf-8',
      'text/plain;version=0.0.4',
      '*/*',
    ]
    const withWeights = (types: readonly string[]) =>
      types.map((type, index) => `${type};q=0.${6 - index}`).join(',')
    expect(asked({})).toBe(withWeights(texts))
    const protobuf =
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'
    expect(asked({ scrapeNativeHistograms: true })).toBe(withWeights([protobuf, ...texts]))
  })

  test('the formats it names, in its order', () => {
    const scrapeProtocols = ['PrometheusText0.0.4', 'PrometheusProto']
    expect(asked({ scrapeProtocols, scrapeNativeHistograms: true })).toBe(
      'text/plain;version=0.0.4;q=0.6,' +
        'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,*/*;q=0.4',
    )
  })

  test.each([
    [{ scrapeProtocols: [] }, /scrapeProtocols/],
    [{ scrapeProtocols: ['PrometheusProto', 'PrometheusProto'] }, /expected each format once/],
    [{ scrapeProtocols: ['prometheusproto'] }, /scrapeProtocols/],
    [{ fallbackScrapeProtocol: 'html' }, /fallbackScrapeProtocol/],
  ])('%j is refused', (job, message) => {
    expect(() => asked(job)).toThrow(message)
  })
})

test.each([
  [
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
    'protobuf',
  ],
  ['Application/OpenMetrics-Text;version=1.0.0', 'openmetrics'],
  ['application/openmetrics-textual', 'text'],
  ['text/plain', 'text'],
  ['', 'text'],
] as const)('a page of the type %j is read as %s', (type, format) => {
  expect(pageFormat(type, undefined)).toBe(format)
  const isKnown = format !== 'text' || type === 'text/plain'
  expect(pageFormat(type, 'PrometheusProto')).toBe(isKnown ? format : 'protobuf')
})
