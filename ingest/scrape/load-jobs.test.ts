import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { labelsText } from '../../model/labels.ts'
import { buildTargets } from './build-targets.ts'
import { scrapeConfig } from './config.ts'
import { loadJobs } from './load-jobs.ts'

const PROMETHEUS = `
global: { scrape_interval: 20s, external_labels: { x: y } }
rule_files: [x.yml]
scrape_configs:
  - job_name: istio
    metrics_path: /stats/prometheus
    honor_labels: true
    params: { module: [a, b] }
    static_configs:
      - targets: ['10.0.0.1:15020', '10.0.0.2:15020']
        labels: { name_space: shop }
    relabel_configs:
      - { source_labels: [__address__], regex: '10\\.0\\.0\\.2:.*', action: drop }
      - { source_labels: [__address__], regex: '(.*):.*', target_label: host }
      - { target_label: __param_module, replacement: c }
    metric_relabel_configs:
      - { source_labels: [__name__], regex: 'istio_.*', action: keep }
  - job_name: discovered
    kubernetes_sd_configs: [{ role: pod }]
  - job_name: bad
    scrape_intervall: 5s
    basic_auth: { username: u, password: p }
`

const MONITORS = `
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: { name: mesh, namespace: istio-system }
spec:
  jobLabel: app
  selector: { matchLabels: { app: cart } }
  scrapeNativeHistograms: true
  scrapeClassicHistograms: true
  nativeHistogramMinBucketFactor: '1.5'
  namespaceSelector: { matchNames: [shop] }
  endpoints:
    - port: http-envoy
      path: /stats/prometheus
      interval: 30s
      metricRelabelings:
        - { sourceLabels: [__name__], regex: envoy_.*, action: drop }
      relabelings:
        - { sourceLabels: [__meta_kubernetes_service_label_version], targetLabel: version }
    - port: nowhere
      tlsConfig: { insecureSkipVerify: true }
---
kind: PodMonitor
metadata: { name: pods }
spec:
  selector: {}
  podMetricsEndpoints: [{ port: http-envoy }]
---
kind: ServiceMonitor
metadata: { name: none }
spec: { selector: { matchLabels: { app: nothing } }, endpoints: [] }
`

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'meshwatch-scrape-'))
  await writeFile(join(dir, 'prometheus.yml'), PROMETHEUS)
  await writeFile(join(dir, 'monitors.yaml'), MONITORS)
})
afterAll(() => rm(dir, { recursive: true }))

const DEFAULTS = { intervalMs: 15_000, timeoutMs: 10_000 }

describe('loadJobs', () => {
  test('takes over a Prometheus configuration file and tells what it cannot', () => {
    const configFile = join(dir, 'prometheus.yml')
    const { jobs, problems } = loadJobs(scrapeConfig.parse({ configFile }))
    expect(jobs.map(({ jobName }) => jobName)).toEqual(['istio', 'discovered'])
    expect(problems.map((problem) => problem.slice(configFile.length + 2))).toEqual([
      expect.stringContaining(
        'scrape_configs[1].kubernetes_sd_configs: only static_configs and file_sd_configs',
      ),
      expect.stringContaining('scrape_configs[2].basic_auth: Unrecognized key: "password"'),
      expect.stringContaining('scrape_configs[2]: Unrecognized key: "scrapeIntervall"'),
    ])
    const [istio] = jobs
    const { targets, leftOut } = buildTargets(istio as (typeof jobs)[0], DEFAULTS)
    expect(targets.map(({ url, labels, intervalMs }) => [url, labelsText(labels), intervalMs])).toEqual([
      [
        'http://10.0.0.1:15020/stats/prometheus?module=c&module=b',
        '{host="10.0.0.1", instance="10.0.0.1:15020", job="istio", name_space="shop"}',
        20_000,
      ],
    ])
    expect(leftOut).toEqual([{ job: 'istio', discovered: expect.anything(), reason: null }])
  })

  test('what a Prometheus file says of formats and native histograms, for all jobs and for one', async () => {
    const configFile = join(dir, 'native.yml')
    await writeFile(
      configFile,
      `
global: { scrape_native_histograms: true, always_scrape_classic_histograms: true, body_size_limit: 5MB, sample_limit: 7 }
scrape_configs:
  - job_name: inherits
  - job_name: says
    sample_limit: 9
    body_size_limit: 1KB
    scrape_native_histograms: false
    scrape_classic_histograms: false
    scrape_protocols: [PrometheusProto]
    fallback_scrape_protocol: PrometheusText0.0.4
    native_histogram_bucket_limit: 100
    native_histogram_min_bucket_factor: 1.1
  - job_name: wrong
    scrape_protocols: [PrometheusText]
`,
    )
    const { jobs, problems } = loadJobs(scrapeConfig.parse({ configFile }))
    expect(problems).toEqual([
      expect.stringContaining('scrape_configs[2].scrape_protocols[0]: Invalid option'),
    ])
    expect(jobs).toMatchObject([
      {
        scrapeNativeHistograms: true,
        alwaysScrapeClassicHistograms: true,
        bodySizeLimit: 5 * 2 ** 20,
        sampleLimit: 7,
        labelLimit: 0,
        nativeHistogramBucketLimit: 0,
      },
      {
        bodySizeLimit: 1024,
        sampleLimit: 9,
        scrapeNativeHistograms: false,
        alwaysScrapeClassicHistograms: false,
        scrapeProtocols: ['PrometheusProto'],
        fallbackScrapeProtocol: 'PrometheusText0.0.4',
        nativeHistogramBucketLimit: 100,
        nativeHistogramMinBucketFactor: 1.1,
      },
    ])
    await writeFile(configFile, 'global: { scrape_protocols: [] }\n')
    expect(loadJobs(scrapeConfig.parse({ configFile })).failures).toEqual([
      expect.stringContaining('global.scrape_protocols: '),
    ])
  })

  test('names of files are relative to the Prometheus file', async () => {
    const configFile = join(dir, 'files.yml')
    await writeFile(
      configFile,
      `
scrape_configs:
  - job_name: a
    file_sd_configs: [{ files: ['sd/*.json', /etc/x.yml], refresh_interval: 1m }]
    basic_auth: { username: u, password_file: secret }
    tls_config: { ca_file: ca.pem, key_file: /etc/key.pem }
  - job_name: b
    authorization: { credentials_file: token }
    static_configs: [{ targets: ['https://example.com/probed'] }]
    relabel_configs:
      - { source_labels: [__address__], target_label: __param_target }
      - { target_label: __address__, replacement: 'prober:9115' }
`,
    )
    const { jobs, problems } = loadJobs(scrapeConfig.parse({ configFile }))
    expect(problems).toEqual([])
    expect(jobs[0]).toMatchObject({
      fileSdConfigs: [{ files: [join(dir, 'sd/*.json'), '/etc/x.yml'], refreshInterval: 60_000 }],
      basicAuth: { username: 'u', passwordFile: join(dir, 'secret') },
      tlsConfig: { caFile: join(dir, 'ca.pem'), certFile: undefined, keyFile: '/etc/key.pem' },
    })
    expect(jobs[1]?.authorization).toEqual({ type: 'Bearer', credentialsFile: join(dir, 'token') })
    // What a target is said by need not be an address, where relabelling makes one of it.
    expect(buildTargets(jobs[1] as (typeof jobs)[0], DEFAULTS).targets.map(({ url }) => url)).toEqual([
      'http://prober:9115/metrics?target=https%3A%2F%2Fexample.com%2Fprobed',
    ])
  })

  test('takes over ServiceMonitor and PodMonitor', () => {
    const { jobs, problems } = loadJobs(
      scrapeConfig.parse({
        serviceMonitorFiles: [join(dir, '*.yaml')],
        services: [
          {
            name: 'cart-svc',
            namespace: 'shop',
            labels: { app: 'cart', version: 'v1' },
            addresses: ['10.0.0.1', '[fd00::1]'],
            ports: { 'http-envoy': 15020 },
          },
          { name: 'other', namespace: 'default', addresses: ['10.0.0.9'], ports: { 'http-envoy': 1 } },
        ],
      }),
    )
    const texts = problems.map((problem) => problem.slice(problem.indexOf('yaml: ') + 6))
    expect(texts).toEqual([
      'spec.endpoints[1].tlsConfig: not taken over',
      'spec.selector: no service of scrape.services in the chosen namespaces has these labels',
    ])
    const targets = jobs.flatMap((job) => buildTargets(job, DEFAULTS).targets)
    expect(jobs[0]).toMatchObject({
      scrapeNativeHistograms: true,
      alwaysScrapeClassicHistograms: true,
      nativeHistogramMinBucketFactor: 1.5,
    })
    expect(jobs.map(({ jobName }) => jobName)).toEqual([
      'serviceMonitor/istio-system/mesh/0',
      'serviceMonitor/istio-system/mesh/1',
      'podMonitor/default/pods/0',
    ])
    expect(targets.map(({ url, labels, intervalMs }) => [url, labelsText(labels), intervalMs])).toEqual([
      [
        'http://10.0.0.1:15020/stats/prometheus',
        '{endpoint="http-envoy", instance="10.0.0.1:15020", job="cart", namespace="shop", service="cart-svc", version="v1"}',
        30_000,
      ],
      [
        'http://[fd00::1]:15020/stats/prometheus',
        '{endpoint="http-envoy", instance="[fd00::1]:15020", job="cart", namespace="shop", service="cart-svc", version="v1"}',
        30_000,
      ],
      [
        'http://10.0.0.9:1/metrics',
        '{instance="10.0.0.9:1", job="default/pods", namespace="default"}',
        15_000,
      ],
    ])
  })

  test('a file that is not there and a job that is there twice are told', () => {
    const job = { jobName: 'a', staticConfigs: [{ targets: ['h:1'] }] }
    const { jobs, problems, failures } = loadJobs(
      scrapeConfig.parse({ jobs: [job, job], configFile: join(dir, 'none') }),
    )
    expect(jobs).toHaveLength(1)
    expect(failures).toEqual([expect.stringContaining('expected a readable file')])
    expect(problems).toEqual(['the job "a" is there twice: the first counts'])
  })

  test('files that are broken as a whole are told apart from what is left out of good ones', async () => {
    const broken = join(dir, 'broken')
    const failuresOf = async (key: 'configFile' | 'serviceMonitorFiles', text: string) => {
      await writeFile(broken, text)
      const section = key === 'configFile' ? { configFile: broken } : { serviceMonitorFiles: [broken] }
      return loadJobs(scrapeConfig.parse(section)).failures
    }
    expect(await failuresOf('configFile', 'scrape_configs: [')).toEqual([
      expect.stringMatching(/broken: expected YAML: /),
    ])
    expect(await failuresOf('configFile', 'scrape_configs: 7')).toEqual([
      expect.stringMatching(/broken: scrape_configs: /),
    ])
    expect(await failuresOf('configFile', 'scrape_configs: [{ scrape_intervall: 5s }]')).toEqual([])
    expect(await failuresOf('configFile', '')).toEqual([])
    expect(await failuresOf('serviceMonitorFiles', 'spec: [')).toEqual([
      expect.stringMatching(/broken: expected YAML: /),
    ])
    expect(await failuresOf('serviceMonitorFiles', 'kind: Service')).toEqual([])
    const gone = { serviceMonitorFiles: [join(dir, 'gone.yaml'), join(dir, 'gone-*.yaml')] }
    expect(loadJobs(scrapeConfig.parse(gone)).failures).toEqual([expect.stringContaining('gone.yaml: ')])
  })

  test.each([
    [{ jobs: [{ jobName: 'a', staticConfigs: [{ targets: ['http://h/x'] }] }] }, /host:port/],
    [{ jobs: [{ jobName: 'a', static: [] }] }, /Unrecognized key/],
    [{ interval: '10' }, /duration/],
  ])('the section refuses %j', (config, message) => {
    expect(() => scrapeConfig.parse(config)).toThrow(message)
  })
})
