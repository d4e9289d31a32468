/** What the generator of expressions knows of a metric of `judgedSeries`. */
export interface JudgedMetric {
  readonly name: string
  /** Its labels beside the name; together they tell its series apart. */
  readonly labels: readonly string[]
  /**
   * `counter`: for `rate`, there without gaps; `gauge`: values all different, without gaps; `count`: values that repeat; `odd`: NaN, gaps, ends;
   * `bucket`: of a classic histogram.
   */
  readonly kind: 'counter' | 'gauge' | 'count' | 'odd' | 'bucket'
  /** Matchers that find something; some find nothing. */
  readonly matchers: readonly string[]
}

const JOB = [
  'job="api"',
  'job!="db"',
  'job=~"api|web"',
  'job=~".+b"',
  'job!~"a.*"',
  'job=~"(?i)API"',
  'job=~""',
]
const INSTANCE = [
  'instance="a:80"',
  'instance=~".:80"',
  'instance!~"[a-c]:80"',
  'instance=~"[^:]+:(80|5432)"',
]
const ORIGIN = [...JOB, ...INSTANCE, 'gone=""', 'gone!="x"', 'job!=""', 'instance=~".*"']
const CODE = ['code="200"', 'code=~"4..|5.."', 'code!="404"', 'method="GET"', 'code=~"\\\\d+"']

/** The metrics of `judgedSeries`. */
export const JUDGED_METRICS: readonly JudgedMetric[] = [
  { name: 'up', labels: ['job', 'instance'], kind: 'count', matchers: ORIGIN },
  {
    name: 'build_info',
    labels: ['job', 'instance', 'version', 'commit'],
    kind: 'count',
    matchers: [...ORIGIN, 'version="1.4"'],
  },
  {
    name: 'requests_total',
    labels: ['job', 'instance', 'code', 'method'],
    kind: 'counter',
    matchers: [...ORIGIN, ...CODE],
  },
  {
    name: 'temperature_celsius',
    labels: ['job', 'instance', 'zone'],
    kind: 'gauge',
    matchers: [...ORIGIN, 'zone=~"eu-.*"', 'zone!="us"'],
  },
  { name: 'queue_length', labels: ['job', 'instance'], kind: 'count', matchers: ORIGIN },
  { name: 'intermittent', labels: ['job', 'instance'], kind: 'odd', matchers: ORIGIN },
  { name: 'irregular', labels: ['job', 'instance'], kind: 'gauge', matchers: ORIGIN },
  {
    name: 'latency_seconds_bucket',
    labels: ['job', 'instance', 'le'],
    kind: 'bucket',
    matchers: [...ORIGIN, 'le="0.5"', 'le!="+Inf"'],
  },
  { name: 'latency_seconds_count', labels: ['job', 'instance'], kind: 'counter', matchers: ORIGIN },
  { name: 'latency_seconds_sum', labels: ['job', 'instance'], kind: 'counter', matchers: ORIGIN },
  { name: 'connection_limit', labels: ['job'], kind: 'count', matchers: JOB },
  {
    name: 'bytes_total',
    labels: ['job', 'path', 'device'],
    kind: 'counter',
    matchers: [...JOB, 'device="eth0"', 'path=~".*\\"x\\".*"', 'path=~".*ü"'],
  },
  {
    name: 'weird',
    labels: ['kind'],
    kind: 'odd',
    matchers: ['kind="nan"', 'kind=~"inf|minus-inf"', 'kind="mixed"', 'kind!~"h.*|t.*"'],
  },
  { name: 'ended', labels: ['part'], kind: 'odd', matchers: ['part="first"', 'part=~".*"'] },
  { name: 'seldom', labels: ['job'], kind: 'odd', matchers: ['job="cron"'] },
  { name: 'once', labels: ['job'], kind: 'odd', matchers: ['job="cron"'] },
  { name: 'born', labels: ['job'], kind: 'odd', matchers: ['job="late"'] },
]

/** Metrics that Prometheus 2.42 has about itself: their series are not known beforehand. */
export const SELF_METRICS: readonly JudgedMetric[] = [
  {
    name: 'prometheus_http_requests_total',
    labels: ['job', 'instance', 'handler', 'code'],
    kind: 'count',
    matchers: ['code="200"', 'handler=~"/api/.*"', 'handler!~".*query.*"'],
  },
  {
    name: 'prometheus_http_response_size_bytes_bucket',
    labels: ['job', 'instance', 'handler', 'le'],
    kind: 'count',
    matchers: ['handler=~"/-/.*"', 'le=~"1.*"'],
  },
  {
    name: 'go_gc_duration_seconds',
    labels: ['job', 'instance', 'quantile'],
    kind: 'odd',
    matchers: ['quantile="0.5"', 'quantile!="0"'],
  },
  {
    name: 'prometheus_engine_query_duration_seconds',
    labels: ['job', 'instance', 'quantile', 'slice'],
    kind: 'odd',
    matchers: ['quantile="0.9"', 'slice=~".*_time"'],
  },
  { name: 'go_memstats_alloc_bytes', labels: ['job', 'instance'], kind: 'count', matchers: ['job="self"'] },
  {
    name: 'scrape_duration_seconds',
    labels: ['job', 'instance'],
    kind: 'count',
    matchers: ['job="self"', 'job=~"live|self"'],
  },
  { name: 'scrape_samples_scraped', labels: ['job', 'instance'], kind: 'count', matchers: ['job="live"'] },
]
