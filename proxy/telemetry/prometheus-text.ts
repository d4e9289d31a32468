import type { AnyFamily, HistogramCell, MetricLabels } from './metric-registry.ts'

/** The metrics in Prometheus' text format 0.0.4, as Envoy's `/stats/prometheus` gives them. Families without series are left out. */
export function prometheusText(families: readonly AnyFamily[]): string {
  const lines: string[] = []
  for (const entry of families) {
    const { textName, help } = entry.family
    const start = lines.length
    if (entry.kind === 'histogram') {
      for (const cell of entry.family.cells()) writeHistogram(lines, textName, entry.boundaries, cell)
    } else {
      for (const { labels, value } of entry.family.cells())
        lines.push(`${textName}${labelText(labels)} ${value}`)
    }
    if (lines.length > start) {
      const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
      lines.splice(start, 0, `# HELP ${textName} ${escaped}`, `# TYPE ${textName} ${entry.kind}`)
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function writeHistogram(
  lines: string[],
  name: string,
  boundaries: readonly number[],
  { labels, counts, sum, count }: HistogramCell,
): void {
  let upTo = 0
  boundaries.forEach((boundary, bucket) => {
    upTo += counts[bucket] ?? 0
    lines.push(`${name}_bucket${labelText({ ...labels, le: String(boundary) })} ${upTo}`)
  })
  lines.push(`${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${count}`)
  lines.push(`${name}_sum${labelText(labels)} ${sum}`, `${name}_count${labelText(labels)} ${count}`)
}

function labelText(labels: MetricLabels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name.replaceAll('.', '_')}="${escapeValue(value)}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
