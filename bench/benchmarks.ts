import type { BenchOptions } from './bench-options.ts'
import type { Figure } from './figure.ts'

/** Measures; prints what happens meanwhile, returns what came out. Cleans up after itself. */
export type Measure = (options: BenchOptions) => Promise<readonly Figure[]>

/** A program behind `npm run bench -- NAME`. */
export interface Benchmark {
  readonly name: string
  readonly description: string
  load(): Promise<Measure>
}

/** All of them. */
export const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'ingest',
    description:
      '60 s of OTLP/HTTP protobuf at 150,000 spans/s: lag, memory, CPU; ClickHouse and the decoder alone',
    load: async () => (await import('./figures/ingest.ts')).measureIngest,
  },
  {
    name: 'burst',
    description: '10 s of OTLP/HTTP protobuf as fast as it is taken',
    load: async () => (await import('./figures/burst.ts')).measureBurst,
  },
  {
    name: 'grpc',
    description: 'the same load by OTLP/gRPC: as fast as taken, then at a steady rate',
    load: async () => (await import('./figures/other-protocol.ts')).measureGrpc,
  },
  {
    name: 'json',
    description: 'the same load by OTLP/HTTP JSON: as fast as taken, then at a steady rate',
    load: async () => (await import('./figures/other-protocol.ts')).measureJson,
  },
  {
    name: 'ack',
    description: 'acknowledgement latency under load while a 10 s query runs; fsync of the disk',
    load: async () => (await import('./figures/acknowledgement.ts')).measureAcknowledgement,
  },
  {
    name: 'memory',
    description: 'resident memory: idle, under load, and the engine alone',
    load: async () => (await import('./figures/memory.ts')).measureMemory,
  },
  {
    name: 'decode',
    description: 'the decoder alone: spans/s on one core',
    load: async () => (await import('./figures/decode.ts')).measureDecode,
  },
  {
    name: 'insert-sync',
    description: 'what it costs that parts are synced to disk before an insert is answered',
    load: async () => (await import('./figures/insert-sync.ts')).measureInsertSync,
  },
  {
    name: 'native-insert',
    description: 'ClickHouse alone: the same rows from Native blocks into the same tables',
    load: async () => (await import('./figures/native-insert.ts')).measureNativeInsert,
  },
  {
    name: 'queries',
    description: '10 million spans over 12 hours: trace by id, search, needle, bytes per span, cold start',
    load: async () => (await import('./figures/queries.ts')).measureQueries,
  },
  {
    name: 'label-index',
    description: 'a million series: labels, values of labels and series, with and without matchers',
    load: async () => (await import('./figures/label-index.ts')).measureLabelIndex,
  },
  {
    name: 'remote-write',
    description: 'samples as fast as they are taken, by remote write and OTLP; bytes per sample stored',
    load: async () => (await import('./figures/remote-write.ts')).measureRemoteWrite,
  },
  {
    name: 'proxy',
    description: 'the proxy beside nginx: requests per CPU second, p99 (needs Debian’s nginx and wrk)',
    load: async () => (await import('./figures/proxy.ts')).measureProxy,
  },
  {
    name: 'promql',
    description:
      'range and instant queries over 20,000 series beside Prometheus, memory, bytes per sample (needs Debian’s prometheus)',
    load: async () => (await import('./figures/promql.ts')).measurePromql,
  },
  {
    name: 'native-histograms',
    description:
      'range queries over 500 series of native histograms beside Prometheus (needs Debian’s prometheus)',
    load: async () => (await import('./figures/native-histograms.ts')).measureNativeHistograms,
  },
  {
    name: 'rules',
    description: '200 rules every 15 s while 50,000 spans/s come in: slots kept, time per evaluation',
    load: async () => (await import('./figures/rule-slots.ts')).measureRuleSlots,
  },
  {
    name: 'alert',
    description: 'from the first bad request behind the proxy to the webhook and the mail',
    load: async () => (await import('./figures/alert-latency.ts')).measureAlertLatency,
  },
]
