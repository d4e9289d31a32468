import { labelPairs, labelValue, METRIC_NAME, quoteText } from '../../model/labels.ts'
import { type JudgedSeries, SCRAPE_MS } from './judged-series.ts'

/** What a target shows at its scrape `index`: of every series the sample of that interval since `startMs`, in the text format without times. */
export function exposition(all: readonly JudgedSeries[], startMs: number, index: number): string {
  const fromMs = startMs + index * SCRAPE_MS
  const lines = all.flatMap(({ labels, samples }) => {
    const sample = samples.find(
      ({ timestampMs }) => timestampMs >= fromMs && timestampMs < fromMs + SCRAPE_MS,
    )
    if (sample === undefined || sample.isStale === true) return []
    const pairs = [...labelPairs(labels)].filter(([name]) => name !== METRIC_NAME)
    const inner = pairs.map(([name, value]) => `${name}=${quoteText(value)}`).join(',')
    return [`${labelValue(labels, METRIC_NAME)}{${inner}} ${valueText(sample.value)}`]
  })
  return `${lines.sort().join('\n')}\n`
}

function valueText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
  return value > 0 ? '+Inf' : '-Inf'
}
