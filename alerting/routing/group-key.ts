import {
  compareBytes,
  isClassicLabelName,
  keepLabels,
  type Labels,
  labelPairs,
  quoteText,
} from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import type { Route } from './route.ts'

/** A matcher as Alertmanager prints it: `severity="page"`. */
export function matcherText(matcher: Matcher): string {
  const { name, op, value } = matcher
  if (!/^[^\s{}!=~,\\"'`]+$/.test(name)) return `${quoteText(name)}${op}${quoteText(value)}`
  return `${name}${op}"${value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`
}

/** A node's part of the route key: its matchers sorted by name, value and kind. */
export function matchersKey(matchers: readonly Matcher[]): string {
  const sorted = [...matchers].sort(
    (a, b) =>
      compareBytes(a.name, b.name) || compareBytes(a.value, b.value) || OPS.indexOf(a.op) - OPS.indexOf(b.op),
  )
  return `{${sorted.map(matcherText).join(',')}}`
}

const OPS: readonly Matcher['op'][] = ['=', '!=', '=~', '!~']

/** The labels that name the group of an alert at a node. */
export function groupLabelsOf(route: Route, labels: Labels): Labels {
  return route.groupBy === 'all' ? labels : keepLabels(labels, new Set(route.groupBy))
}

/** Alertmanager's group key: `{}/{severity="page"}:{alertname="X", cluster="a"}`. */
export function groupKey(route: Pick<Route, 'key'>, groupLabels: Labels): string {
  const pairs = [...labelPairs(groupLabels)].map(
    ([name, value]) => `${isClassicLabelName(name) ? name : quoteText(name)}=${quoteText(value)}`,
  )
  return `${route.key}:{${pairs.join(', ')}}`
}
