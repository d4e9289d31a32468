import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { createSampleWriter } from '../../query/metrics/create-sample-writer.ts'
import { openFacades } from '../support/open-facades.ts'
import { prometheusVersion, startPrometheus } from '../support/prometheus-process.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { ask } from './ask.ts'
import { feed } from './feed.ts'
import { judge, questionText } from './judge.ts'
import { JUDGED_METRICS } from './judged-metrics.ts'
import { judgedSeries } from './judged-series.ts'
import { spelledForTheirs } from './known-difference.ts'

// npm run differential -- [--count 20000] [--seed S] [--most 10]
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string' },
    most: { type: 'string', default: '10' },
    concurrency: { type: 'string', default: '4' },
    end: { type: 'string' },
    ask: { type: 'string' },
    time: { type: 'string' },
    start: { type: 'string' },
    step: { type: 'string' },
  },
})
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
const endMs = values.end === undefined ? Math.floor(Date.now() / 60_000) * 60_000 : Number(values.end) * 1000
const series = { startMs: endMs - 7_200_000, endMs }
console.log(`Prometheus ${prometheusVersion()}; to repeat: --seed ${seed} --end ${endMs / 1000}`)
const all = judgedSeries(seededRandom(seed), series)
const prometheus = await startPrometheus()
const facades = await openFacades({ now: Date.now() })
try {
  await feed(prometheus.url, all)
  const samples = all.flatMap(({ labels, samples }) => samples.map((sample) => ({ labels, ...sample })))
  for (let from = 0; from < samples.length; from += 50_000) {
    await createSampleWriter(facades.deps.storage).write(
      'default',
      samples.slice(from, from + 50_000),
      `differential ${from}`,
    )
  }
  const url = await facades.app.listen({ host: '127.0.0.1', port: 0 })
  console.log(`${all.length} series, ${samples.length} samples`)
  if (values.ask === undefined) await judgeMany(prometheus.url, `${url}/prometheus`)
  else await askOnce(prometheus.url, `${url}/prometheus`)
} finally {
  await facades.close()
  await prometheus.stop()
}

/** One question, `--ask EXPR [--time SECONDS] [--start SECONDS --step SECONDS]`: both answers are printed. */
async function askOnce(...bases: readonly string[]): Promise<void> {
  const [timeMs = endMs, startMs, stepMs = 60_000] = [values.time, values.start, values.step].map((text) =>
    text === undefined ? undefined : Number(text) * 1000,
  )
  const expr = values.ask ?? ''
  const question = startMs === undefined ? { expr, timeMs } : { expr, startMs, endMs: timeMs, stepMs }
  for (const base of bases) {
    const spelled = base === bases[0] ? spelledForTheirs(expr) : expr
    console.log(JSON.stringify(await ask(base, { ...question, expr: spelled }), null, 1))
  }
}

async function judgeMany(theirs: string, ours: string): Promise<void> {
  const begun = performance.now()
  const count = Number(values.count)
  const verdict = await judge({
    theirs,
    ours,
    seed,
    instant: Math.ceil((count * 3) / 4),
    range: Math.floor(count / 4),
    series,
    metrics: JUDGED_METRICS,
    most: Number(values.most),
    concurrency: Number(values.concurrency),
  })
  for (const { question, problem, smallest, smallestProblem } of verdict.differences) {
    console.log(
      `\n${questionText(question)}\n  ${problem}\n smallest: ${questionText(smallest)}\n  ${smallestProblem}`,
    )
  }
  const { asked, errors, empty, known, differences } = verdict
  console.log(
    `\n${asked} asked in ${((performance.now() - begun) / 1000).toFixed(0)} s: ${differences.length} differences, ${errors} refused by both, ${empty} empty`,
  )
  for (const [reason, times] of known) console.log(`  known (${times}): ${reason}`)
  process.exitCode = differences.length === 0 ? 0 : 1
}
