import type { Labels } from '../../model/labels.ts'
import { labelValue } from '../../model/labels.ts'
import { compileMatcher, type Matcher } from '../../model/matcher.ts'

/** A node of the routing tree, with what it inherits. Durations in milliseconds. */
export interface Route {
  /** Tells this node from all others of the configuration, and stays the same when other nodes change. */
  readonly id: string
  /** Alertmanager's key: the matchers from the root to here. */
  readonly key: string
  readonly matchers: readonly Matcher[]
  readonly matches: (labels: Labels) => boolean
  readonly receiver: string
  /** Names of the labels that make a group; `all`: every label. */
  readonly groupBy: readonly string[] | 'all'
  readonly groupWaitMs: number
  readonly groupIntervalMs: number
  readonly repeatIntervalMs: number
  readonly labels: Readonly<Record<string, string>>
  readonly doesContinue: boolean
  readonly muteTimeIntervals: readonly string[]
  readonly activeTimeIntervals: readonly string[]
  readonly routes: readonly Route[]
}

/** The test that all matchers make together. Throws SyntaxError for a pattern that is none. */
export function compileMatchers(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const tests = matchers.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }))
  return (labels) => tests.every(({ name, test }) => test(labelValue(labels, name)))
}

/** The nodes an alert ends at: depth first, left to right; a node whose children do not match takes it itself. */
export function matchRoutes(route: Route, labels: Labels): Route[] {
  if (!route.matches(labels)) return []
  const found: Route[] = []
  for (const child of route.routes) {
    const below = matchRoutes(child, labels)
    found.push(...below)
    if (below.length > 0 && !child.doesContinue) break
  }
  return found.length > 0 ? found : [route]
}

/** All nodes, the root first. */
export function* allRoutes(route: Route): Generator<Route> {
  yield route
  for (const child of route.routes) yield* allRoutes(child)
}
