import { compareBytes, labelPairs, labelValue, METRIC_NAME } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import type { Storage } from '../../storage/storage.ts'
import { matchesAll } from './expand-series.ts'
import { selectMatchingNames, selectMatchingValues } from './index-values.ts'
import { listMadeValues } from './list-made-values.ts'
import { seriesNames } from './matcher-conditions.ts'
import { type LabelSetsRequest, selectStoredSets } from './select-label-sets.ts'
import { selectLabelNames, selectLabelValues, selectMetricNames } from './select-label-values.ts'
import { listSpanLabelNames, listSpanLabelValues } from './span-metrics/list-span-metrics.ts'

type OneRequest = LabelSetsRequest & { readonly matchers: readonly Matcher[] }

/** The names of all labels that occur, sorted; of series that match, or of all when there are no matchers. */
export async function listLabelNames(storage: Storage, request: LabelSetsRequest): Promise<string[]> {
  if (request.matcherSets.length === 0) {
    const [labels, metrics, ofSpans] = await Promise.all([
      selectLabelNames(storage, request),
      selectMetricNames(storage, request),
      listSpanLabelNames(storage, request),
    ])
    const has = (kind: string) => metrics.some((metric) => metric.kind === kind)
    return sorted([
      ...labels,
      ...(metrics.length > 0 ? [METRIC_NAME] : []),
      ...(has('histogram') ? ['le'] : []),
      ...(has('summary') ? ['quantile'] : []),
      ...ofSpans,
    ])
  }
  const lists = await Promise.all([
    listSpanLabelNames(storage, request),
    ...request.matcherSets.map((matchers) => labelNamesOf(storage, { ...request, matchers })),
  ])
  return sorted(lists.flat())
}

/** The values that a label has, sorted; of series that match, or of all when there are no matchers. With a limit the first so many. */
export async function listLabelValues(
  storage: Storage,
  request: LabelSetsRequest & { readonly name: string; readonly limit?: number | undefined },
): Promise<string[]> {
  const { name, matcherSets, limit } = request
  const cut = (values: readonly string[]) => sorted(values).slice(0, limit)
  if (matcherSets.length > 0) {
    const lists = await Promise.all([
      listSpanLabelValues(storage, request),
      ...matcherSets.map((matchers) => labelValuesOf(storage, { ...request, matchers })),
    ])
    return cut(lists.flat())
  }
  const lists = await Promise.all([
    listSpanLabelValues(storage, request),
    name === METRIC_NAME
      ? selectMetricNames(storage, request).then((metrics) => metrics.flatMap(seriesNames))
      : selectLabelValues(storage, request),
    isMade(name) ? listMadeValues(storage, { ...request, name }) : [],
  ])
  return cut(lists.flat())
}

/** Whether a label is made of a histogram's bounds or a summary's quantiles, of which the index knows nothing. */
function isMade(name: string): name is 'le' | 'quantile' {
  return name === 'le' || name === 'quantile'
}

/** Whether the condition on the index is exact for the labels that the index has. */
function isIndexed({ matchers }: OneRequest): boolean {
  return !matchers.some(({ name }) => isMade(name))
}

async function labelNamesOf(storage: Storage, request: OneRequest): Promise<string[]> {
  if (!isIndexed(request)) {
    const sets = await selectStoredSets(storage, { ...request, matcherSets: [request.matchers] })
    return sets.flatMap((labels) => [...labelPairs(labels)].map(([name]) => name))
  }
  const { labels, metrics } = await selectMatchingNames(storage, request)
  const isWanted = nameTest(request.matchers)
  const makes = (kind: string, suffix: string) =>
    metrics.some((metric) => metric.kind === kind && isWanted(`${metric.name}${suffix}`))
  return [
    ...labels,
    ...(metrics.length > 0 ? [METRIC_NAME] : []),
    ...(makes('histogram', '_bucket') ? ['le'] : []),
    ...(makes('summary', '') ? ['quantile'] : []),
  ]
}

async function labelValuesOf(
  storage: Storage,
  request: OneRequest & { readonly name: string; readonly limit?: number | undefined },
): Promise<readonly string[]> {
  const { name, matchers } = request
  if (isMade(name) || !isIndexed(request)) {
    const sets = await selectStoredSets(storage, { ...request, matcherSets: [matchers] })
    return sets.map((labels) => labelValue(labels, name))
  }
  if (name !== METRIC_NAME) return selectMatchingValues(storage, request)
  const { metrics } = await selectMatchingNames(storage, request)
  return metrics.flatMap(seriesNames).filter(nameTest(matchers))
}

function nameTest(matchers: readonly Matcher[]): (name: string) => boolean {
  const isWanted = matchesAll(matchers.filter(({ name }) => name === METRIC_NAME))
  return (name) => isWanted([METRIC_NAME, name])
}

function sorted(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => value !== '').sort(compareBytes)
}
