import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A target to be scraped: its page changes with every scrape. */
export interface ExpositionTarget {
  /** `127.0.0.1:port`. */
  readonly address: string
  /** How often it was scraped. */
  scrapes(): number
  /** Series with an even number are on the page only while it is on: they come and go. */
  setAll(isOn: boolean): void
  close(): Promise<void>
}

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** Serves an OpenMetrics page of counters with exemplars, gauges (NaN and infinities too), a histogram and a summary for each of `size` numbers. */
export async function startExpositionTarget(size: number): Promise<ExpositionTarget> {
  let scrapes = 0
  let areAllOn = true
  const server = createServer((_request, response) => {
    scrapes += 1
    response.setHeader('content-type', OPEN_METRICS)
    response.end(page(scrapes, areAllOn ? size : Math.floor(size / 2)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    scrapes: () => scrapes,
    setAll: (isOn) => {
      areAllOn = isOn
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const SPECIAL = ['NaN', '+Inf', '-Inf', '0', '-1.5', '1e-300', '0.1']

function page(turn: number, size: number): string {
  const numbers = Array.from({ length: size }, (_, index) => index)
  const trace = turn.toString(16).padStart(32, '1')
  return [
    '# HELP requests Requests by route, "quoted" and \\\\ with ünïcode.',
    '# TYPE requests counter',
    ...numbers.map(
      (n) =>
        `requests_total{route="/r/${n}",text="tab\\n\\"ü\\""} ${turn * (n + 1)} # {trace_id="${trace}"} ${turn}.5`,
    ),
    '# HELP temperature_celsius How warm it is.',
    '# TYPE temperature_celsius gauge',
    '# UNIT temperature_celsius celsius',
    ...numbers.map((n) => `temperature_celsius{room="${n}"} ${SPECIAL[(turn + n) % SPECIAL.length]}`),
    '# TYPE wait_seconds histogram',
    ...numbers.flatMap((n) => [
      `wait_seconds_bucket{n="${n}",le="0.1"} ${turn}`,
      `wait_seconds_bucket{n="${n}",le="+Inf"} ${turn * 3} # {trace_id="${trace}",span_id="00f067aa0ba902b7"} 3.25`,
      `wait_seconds_sum{n="${n}"} ${turn * 1.5}`,
      `wait_seconds_count{n="${n}"} ${turn * 3}`,
    ]),
    '# TYPE size_bytes summary',
    ...numbers.flatMap((n) => [
      `size_bytes{n="${n}",quantile="0.5"} ${turn + n}`,
      `size_bytes_sum{n="${n}"} ${turn}`,
      `size_bytes_count{n="${n}"} ${turn}`,
    ]),
    '# EOF',
    '',
  ].join('\n')
}
