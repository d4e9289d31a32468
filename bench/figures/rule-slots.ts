import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchOptions } from '../bench-options.ts'
import { startBenchServer } from '../bench-server.ts'
import { count, type Figure, megabytes, ms } from '../figure.ts'
import { quantile } from '../quantile.ts'
import { startLoad } from '../start-load.ts'
import { withDirectory } from '../with-directory.ts'

const GROUPS = 20
const RULES_PER_GROUP = 10
const SERVICES = 40
const PODS = 5
const EXPORT_EVERY_MS = 5_000
const TARGET_SPANS = 50_000

interface RulesAnswer {
  readonly groups: readonly {
    readonly name: string
    readonly evaluations: number
    readonly missedEvaluations: number
    readonly lastDurationNanos: string
    readonly rules: readonly { readonly health: string; readonly lastError: string | null }[]
  }[]
}

/** 200 rules of the mesh's kind, each group every 15 s, over the metrics of 200 proxies, while spans come in. */
export function measureRuleSlots(options: BenchOptions): Promise<readonly Figure[]> {
  return withDirectory(options, async (directory) => {
    const seconds = options.seconds ?? 60
    const rate = options.rate ?? TARGET_SPANS
    const rules = join(directory, 'rules.yaml')
    writeFileSync(rules, ruleFile())
    const server = await startBenchServer(join(directory, 'data'), {
      MESHWATCH_RULES__FILES: JSON.stringify([rules]),
      MESHWATCH_RULES__PACKS: '[]',
    })
    try {
      const before = await server.sample()
      const metrics = sendMetrics(server.otlpHttpUrl)
      const durations: number[] = []
      const watch = setInterval(() => {
        void readRules(server.url).then(({ groups }) => {
          for (const group of groups) durations.push(Number(group.lastDurationNanos) / 1e6)
        })
      }, 15_000)
      const load = await startLoad({
        target: server.otlpHttpUrl,
        protocol: 'protobuf',
        spans: 512,
        connections: options.connections ?? 16,
        seconds,
        spansPerSecond: rate,
      })
      clearInterval(watch)
      const series = metrics.stop()
      const { groups } = await readRules(server.url)
      const after = await server.sample()
      const evaluations = groups.reduce((sum, group) => sum + group.evaluations, 0)
      const missed = groups.reduce((sum, group) => sum + group.missedEvaluations, 0)
      const failing = groups.flatMap((group) => group.rules).filter(({ health }) => health === 'err')
      if (failing[0] !== undefined) console.log(`A rule fails: ${failing[0].lastError}`)
      const accepted = load.accepted / load.seconds
      return [
        {
          what: `slots kept, ${GROUPS * RULES_PER_GROUP} rules in ${GROUPS} groups every 15 s, ${seconds} s, ${series} series`,
          value: `${evaluations} of ${evaluations + missed}, ${failing.length} rules failing`,
          target: 'all',
          isReached: missed === 0 && failing.length === 0,
        },
        {
          what: 'evaluation of a group of ten rules',
          value: `p50 ${ms(quantile(durations, 0.5))}, max ${ms(quantile(durations, 1))}`,
        },
        {
          what: 'spans accepted meanwhile',
          value: `${count(accepted)} spans/s, ${load.refused} refused`,
          target: `${count(TARGET_SPANS)} spans/s`,
          isReached: accepted > rate * 0.995 && load.refused === 0,
          beside: `acknowledgement p99 ${ms(load.ackMs.p99)}, lag at the end ${after.lagSeconds.toFixed(1)} s`,
        },
        {
          what: 'CPU and memory of the server',
          value: `${((after.cpuSeconds - before.cpuSeconds) / seconds).toFixed(2)} cores, ${megabytes(after.peakRssBytes)} at most`,
        },
      ] satisfies Figure[]
    } finally {
      await server.stop()
    }
  })
}

async function readRules(url: string): Promise<RulesAnswer> {
  return (await (await fetch(`${url}/api/rules`)).json()) as RulesAnswer
}

/** Groups of the mesh's questions: rates, ratios, quantiles, recorded and alerted on. */
function ruleFile(): string {
  const by = 'sum by (destination_service_name, destination_service_namespace)'
  const rate = (labels: string) => `rate(istio_requests_total{reporter="source"${labels}}[5m])`
  const group = (index: number) => {
    const service = `,destination_service_name=~"service-[0-9]*${index % 10}"`
    const rules = [
      `record: bench:requests:rate5m, expr: '${by} (${rate(service)})'`,
      `record: bench:errors:rate5m, expr: '${by} (${rate(`${service},response_code=~"5.."`)})'`,
      `record: bench:errors:ratio, expr: 'bench:errors:rate5m / (bench:requests:rate5m > 0)'`,
      `alert: High, expr: 'bench:errors:ratio > 0.05 and bench:requests:rate5m > 1', for: 1m`,
      `alert: Any503, expr: '${by} (${rate(`${service},response_code="503"`)}) > 100'`,
      `alert: ByFlag, expr: 'sum by (response_flags) (${rate(`${service},response_flags!="-"`)}) > 100'`,
      `alert: Growing, expr: '${by} (${rate(service)}) > 2 * ${by} (${rate(service).replace('[5m]', '[5m] offset 1m')})', for: 1m`,
      `alert: Top, expr: 'topk(3, ${by} (${rate(service)})) > 100000'`,
      `alert: Silent, expr: 'absent(istio_requests_total{reporter="source"${service}})', for: 1m`,
      `alert: Changes, expr: '${by} (increase(istio_requests_total{reporter="source"${service},response_code="503"}[10m])) > 100000'`,
    ]
    return `- name: bench-${index}\n  interval: 15s\n  rules:\n${rules.map((rule) => `  - { ${rule} }\n`).join('')}`
  }
  return `groups:\n${Array.from({ length: GROUPS }, (_, index) => group(index)).join('')}`
}

/** Sends the requests' counters of every proxy every five seconds, cumulative. */
function sendMetrics(target: string): { stop(): number } {
  const outcomes = [
    ['200', '-'],
    ['200', 'URX'],
    ['404', '-'],
    ['503', 'UO'],
    ['503', 'UF'],
  ] as const
  const startNanos = `${Date.now()}000000`
  let round = 0
  const send = async () => {
    round++
    const timeUnixNano = `${Date.now()}000000`
    for (let pod = 0; pod < PODS; pod++) {
      const resourceMetrics = Array.from({ length: SERVICES }, (_, service) => ({
        resource: {
          attributes: [
            attribute('service.name', `service-${service}.bench`),
            attribute('service.instance.id', `pod-${pod}`),
          ],
        },
        scopeMetrics: [
          {
            metrics: [
              {
                name: 'istio_requests_total',
                sum: {
                  aggregationTemporality: 2,
                  isMonotonic: true,
                  dataPoints: outcomes.map(([code, flags], index) => ({
                    startTimeUnixNano: startNanos,
                    timeUnixNano,
                    asInt: String(round * (index === 0 ? 1000 : 7)),
                    attributes: [
                      attribute('reporter', 'source'),
                      attribute('source_workload', `service-${service}`),
                      attribute('destination_service_name', `service-${(service + 1) % SERVICES}`),
                      attribute('destination_service_namespace', 'bench'),
                      attribute('response_code', code),
                      attribute('response_flags', flags),
                    ],
                  })),
                },
              },
            ],
          },
        ],
      }))
      const response = await fetch(`${target}/v1/metrics`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ resourceMetrics }),
      })
      await response.arrayBuffer()
      if (response.status !== 200) console.log(`metrics were refused: HTTP ${response.status}`)
    }
  }
  void send()
  const timer = setInterval(() => void send(), EXPORT_EVERY_MS)
  return {
    stop: () => {
      clearInterval(timer)
      return SERVICES * PODS * outcomes.length
    },
  }
}

function attribute(key: string, value: string): object {
  return { key, value: { stringValue: value } }
}
