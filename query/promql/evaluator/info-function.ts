import {
  bracedLabelsText,
  keepLabels,
  type Labels,
  labelPairs,
  labelsKey,
  labelValue,
  METRIC_NAME,
  NO_LABELS,
  withLabel,
} from '../../../model/labels.ts'
import { compileMatcher, type Matcher } from '../../../model/matcher.ts'
import { type Evaluation, executionError, mergeEqualLabels } from './evaluation.ts'
import { emptySeries, type Grid, type GridSeries, setHistogram } from './grid.ts'

/** By these labels a series and what is told of its target belong together. */
const IDENTIFYING: ReadonlySet<string> = new Set(['instance', 'job'])

/** What `info` works on. */
export interface InfoInput {
  readonly base: readonly GridSeries[]
  /** The info metrics' series. */
  readonly infos: readonly GridSeries[]
  /** The same series with the times of the samples, seconds. */
  readonly times: readonly GridSeries[]
  /** The conditions of the second argument, that on the name among them. */
  readonly matchers: readonly Matcher[]
}

/**
 * The function `info`: at each moment the series with the labels that info metrics have of the same `job` and `instance` at that moment. Where two info
 * series of a metric say something, the one with the newer sample counts. Throws QUERY_EXECUTION_FAILED where they are equally new, where two metrics
 * say different things, and where two series come out the same.
 */
export function addInfo(
  run: Pick<Evaluation, 'spend'>,
  { base, infos, times, matchers }: InfoInput,
  grid: Grid,
): readonly GridSeries[] {
  const data = matchers.filter(({ name }) => name !== METRIC_NAME)
  const names = matchers.filter(({ name }) => name === METRIC_NAME).map(compileMatcher)
  const isInfo = ({ labels }: GridSeries) =>
    names.every((matches) => matches(labelValue(labels, METRIC_NAME)))
  const enriched = base.filter((series) => !isInfo(series))
  for (const { labels, histograms } of ofSameTargets(infos, enriched)) {
    if (histograms?.some((histogram) => histogram !== null) !== true) continue
    throw executionError(`this should be an info metric, with float samples: ${bracedLabelsText(labels)}`)
  }
  const newest = newestByTarget(ofSameTargets(times, enriched), base, grid)
  const metrics = [...newest.keys()]
  const wanted = new Set(data.map(({ name }) => name))
  const isMissingAllowed = data.every((matcher) => compileMatcher(matcher)(''))

  const results = new Map<string, GridSeries>()
  for (const series of base) {
    if (isInfo(series)) {
      copyAll(series, resultOf(results, series, series.labels, grid))
      continue
    }
    const target = targetKey(series.labels)
    const perMetric = metrics.map((metric) => newest.get(metric)?.get(target) ?? null)
    const known = new Map<string, GridSeries | null>()
    for (let i = 0; i < grid.count; i += 1) {
      if (series.present[i] !== 1) continue
      const told = perMetric.flatMap((moments) => moments?.[i] ?? [])
      const key = told.map(({ labels }) => labelsKey(labels)).join('\n')
      let result = known.get(key)
      if (result === undefined) {
        const labels = told.length === 0 && !isMissingAllowed ? null : withInfo(series.labels, told, wanted)
        result = labels === null ? null : resultOf(results, series, labels, grid)
        known.set(key, result)
      }
      if (result !== null) copyMoment(series, result, i)
    }
  }
  const all = [...results.values()].filter(({ present }) => present.includes(1))
  run.spend(all.length * grid.count)
  return mergeEqualLabels(all)
}

/** The info series of targets that the series name; the others have nothing to tell. Without the labels of a target nothing is named. */
function ofSameTargets(infos: readonly GridSeries[], base: readonly GridSeries[]): readonly GridSeries[] {
  const targets = new Set(base.map(({ labels }) => targetKey(labels)))
  targets.delete(targetKey(NO_LABELS))
  return infos.filter(({ labels }) => targets.has(targetKey(labels)))
}

/** By metric and target the info series that counts at each moment. */
function newestByTarget(
  infos: readonly GridSeries[],
  base: readonly GridSeries[],
  grid: Grid,
): ReadonlyMap<string, ReadonlyMap<string, readonly (GridSeries | undefined)[]>> {
  const isAsked = new Uint8Array(grid.count)
  for (const { present } of base) {
    for (let i = 0; i < grid.count; i += 1) if (present[i] === 1) isAsked[i] = 1
  }
  const byMetric = new Map<string, Map<string, (GridSeries | undefined)[]>>()
  for (const info of infos) {
    const metric = labelValue(info.labels, METRIC_NAME)
    const byTarget = byMetric.get(metric) ?? new Map<string, (GridSeries | undefined)[]>()
    byMetric.set(metric, byTarget)
    const target = targetKey(info.labels)
    const moments = byTarget.get(target) ?? new Array<GridSeries | undefined>(grid.count)
    byTarget.set(target, moments)
    for (let i = 0; i < grid.count; i += 1) {
      if (info.present[i] !== 1 || isAsked[i] !== 1) continue
      const other = moments[i]
      const mine = info.values[i] as number
      const theirs = (other?.values[i] ?? Number.NEGATIVE_INFINITY) as number
      if (other !== undefined && mine === theirs) throw conflict(other.labels, info.labels, mine)
      if (mine > theirs) moments[i] = info
    }
  }
  return byMetric
}

function conflict(existing: Labels, other: Labels, seconds: number): Error {
  const ms = Math.round(seconds * 1000)
  return executionError(
    `found duplicate series for info metric: existing ${bracedLabelsText(existing)} @ ${ms}, new ${bracedLabelsText(other)} @ ${ms}`,
  )
}

function targetKey(labels: Labels): string {
  return labelsKey(keepLabels(labels, IDENTIFYING))
}

function withInfo(labels: Labels, told: readonly GridSeries[], wanted: ReadonlySet<string>): Labels {
  const added = new Map<string, string>()
  for (const info of told) {
    for (const [name, value] of labelPairs(info.labels)) {
      if (name === METRIC_NAME || (wanted.size > 0 && !wanted.has(name))) continue
      const before = added.get(name)
      if (before !== undefined && before !== value) throw executionError(`conflicting label: ${name}`)
      // What the series says itself counts.
      if (labelValue(labels, name) === '') added.set(name, value)
    }
  }
  let result = labels
  for (const [name, value] of added) result = withLabel(result, name, value)
  return result
}

/** A series whose name is to go once all is evaluated still loses it. */
function resultOf(
  results: Map<string, GridSeries>,
  { dropName }: GridSeries,
  labels: Labels,
  grid: Grid,
): GridSeries {
  const key = labelsKey(labels)
  const result = results.get(key) ?? emptySeries(labels, dropName, grid)
  results.set(key, result)
  return result
}

function copyAll(from: GridSeries, to: GridSeries): void {
  for (let i = 0; i < from.present.length; i += 1) if (from.present[i] === 1) copyMoment(from, to, i)
}

function copyMoment(from: GridSeries, to: GridSeries, index: number): void {
  if (to.present[index] === 1) throw executionError('vector cannot contain metrics with the same labelset')
  to.values[index] = from.values[index] as number
  to.present[index] = 1
  const histogram = from.histograms?.[index] ?? null
  if (histogram !== null) setHistogram(to, index, histogram)
}
