import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { prometheusVersion, startPrometheus } from '../support/prometheus-process.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { startMeshwatch } from '../support/start-meshwatch.ts'
import { waitUntil } from '../support/wait-until.ts'
import { ask } from './ask.ts'
import { compareAnswers } from './compare-answers.ts'
import { feed } from './feed.ts'
import { judge, questionText } from './judge.ts'
import { JUDGED_METRICS } from './judged-metrics.ts'
import { judgedSeries } from './judged-series.ts'
import { spelledForTheirs } from './known-difference.ts'

// npm run differential -- [--count 20000] [--seed S] [--most 10] [--set NAME=VALUE]… [--ask EXPR …]
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
    // NAME=VALUE of the server's environment, such as MESHWATCH_QUERY__CONCURRENCY=1.
    set: { type: 'string', multiple: true, default: [] },
  },
})
const settings = Object.fromEntries(
  values.set.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
)
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
const endMs = values.end === undefined ? Math.floor(Date.now() / 60_000) * 60_000 : Number(values.end) * 1000
const series = { startMs: endMs - 7_200_000, endMs }
console.log(`Prometheus ${prometheusVersion()}; to repeat: --seed ${seed} --end ${endMs / 1000}`)
const all = judgedSeries(seededRandom(seed), series)
const prometheus = await startPrometheus()
const server = await startMeshwatch({
  environment: { MESHWATCH_RULES__PACKS: '[]', MESHWATCH_RULES__FILES: '[]', ...settings },
})
try {
  const ours = `${server.url}/prometheus`
  const samples = all.reduce((sum, one) => sum + one.samples.length, 0)
  await feed(prometheus.url, all)
  await feed(ours, all)
  await waitUntil('everything can be asked for', async () => {
    const question = { expr: 'sum(count_over_time({__name__!=""}[3h]))', timeMs: endMs + 1 }
    const [theirs, mine] = await Promise.all([ask(prometheus.url, question), ask(ours, question)])
    return compareAnswers(theirs, mine) === null
  })
  console.log(`${all.length} series, ${samples} samples`)
  if (values.ask === undefined) await judgeMany(prometheus.url, ours)
  else await askOnce(prometheus.url, ours)
} finally {
  await server.stop()
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
