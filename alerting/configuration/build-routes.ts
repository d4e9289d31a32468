import { z } from 'zod'
import { isClassicLabelName } from '../../model/labels.ts'
import { matchersKey } from '../routing/group-key.ts'
import { compileMatchers, type Route } from '../routing/route.ts'
import {
  duration,
  equalMatchers,
  labelMap,
  matcherList,
  patternMatchers,
  positiveDuration,
} from './value-schemas.ts'

/** A node of `route`, as written. */
export const routeSchema = z.strictObject({
  receiver: z.string().optional(),
  group_by: z.array(z.string().min(1)).nullish(),
  group_wait: duration.optional(),
  group_interval: positiveDuration.optional(),
  repeat_interval: positiveDuration.optional(),
  labels: labelMap.optional(),
  match: equalMatchers.optional(),
  match_re: patternMatchers.optional(),
  matchers: matcherList.optional(),
  continue: z.boolean().default(false),
  mute_time_intervals: z.array(z.string()).nullish(),
  active_time_intervals: z.array(z.string()).nullish(),
  get routes(): z.ZodOptional<z.ZodNullable<z.ZodArray<typeof routeSchema>>> {
    return z.array(routeSchema).nullable().optional()
  },
})

type RouteSection = z.output<typeof routeSchema>

/** What a routing tree is checked against. */
export interface RouteChecks {
  readonly hasReceiver: (name: string) => boolean
  readonly hasTimeInterval: (name: string) => boolean
  readonly report: (path: readonly PropertyKey[], message: string) => void
}

/** What a node takes from its parent where it says nothing itself. Time intervals are not among it, nor is `continue`. */
type Inherited = Pick<
  Route,
  'key' | 'receiver' | 'groupBy' | 'groupWaitMs' | 'groupIntervalMs' | 'repeatIntervalMs' | 'labels'
>

const AT_THE_ROOT: Inherited = {
  key: '',
  receiver: '',
  groupBy: [],
  groupWaitMs: 30_000,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 4 * 3_600_000,
  labels: {},
}

/** The routing tree with everything inherited; null when there is no usable root. Reports what is wrong. */
export function buildRoutes(section: RouteSection, checks: RouteChecks): Route | null {
  const { report } = checks
  if ((section.receiver ?? '') === '') report(['route'], 'root route must specify a default receiver')
  if (ownMatchers(section).length > 0) report(['route'], 'root route must not have any matchers')
  for (const key of ['mute_time_intervals', 'active_time_intervals'] as const) {
    if ((section[key]?.length ?? 0) > 0) report(['route', key], `root route must not have any ${key}`)
  }
  // Two nodes may have the same matchers and the same receiver; they must not share their groups.
  const seen = new Map<string, number>()
  const build = (given: RouteSection, parent: Inherited, path: readonly PropertyKey[]): Route => {
    checkNode(given, path, checks)
    const matchers = ownMatchers(given)
    const own = matchersKey(matchers)
    const key = parent.key === '' ? own : `${parent.key}/${own}`
    const receiver = given.receiver || parent.receiver
    const base = `${receiver}|${key}`
    const count = (seen.get(base) ?? 0) + 1
    seen.set(base, count)
    const inherited: Inherited = {
      key,
      receiver,
      groupBy: groupBy(given) ?? parent.groupBy,
      groupWaitMs: given.group_wait ?? parent.groupWaitMs,
      groupIntervalMs: given.group_interval ?? parent.groupIntervalMs,
      repeatIntervalMs: given.repeat_interval ?? parent.repeatIntervalMs,
      labels: { ...parent.labels, ...given.labels },
    }
    return {
      ...inherited,
      id: count === 1 ? base : `${base}#${count}`,
      matchers,
      matches: compileMatchers(matchers),
      doesContinue: given.continue,
      muteTimeIntervals: given.mute_time_intervals ?? [],
      activeTimeIntervals: given.active_time_intervals ?? [],
      routes: (given.routes ?? []).map((child, index) => build(child, inherited, [...path, 'routes', index])),
    }
  }
  return build(section, AT_THE_ROOT, ['route'])
}

function ownMatchers(given: RouteSection): Route['matchers'] {
  return [...(given.match ?? []), ...(given.match_re ?? []), ...(given.matchers ?? [])]
}

function groupBy(given: RouteSection): Route['groupBy'] | null {
  const names = given.group_by
  if (names === undefined || names === null || names.length === 0) return null
  return names.includes('...') ? 'all' : names
}

function checkNode(given: RouteSection, path: readonly PropertyKey[], checks: RouteChecks): void {
  const { report } = checks
  if (given.receiver !== undefined && given.receiver !== '' && !checks.hasReceiver(given.receiver)) {
    report([...path, 'receiver'], `undefined receiver ${JSON.stringify(given.receiver)} used in route`)
  }
  const names = given.group_by ?? []
  if (names.includes('...') && names.length > 1) {
    report([...path, 'group_by'], "cannot have wildcard group_by ('...') and other labels at the same time")
  }
  if (new Set(names).size < names.length) report([...path, 'group_by'], 'duplicated label in group_by')
  for (const [name, value] of Object.entries(given.labels ?? {})) {
    if (!isClassicLabelName(name)) report([...path, 'labels', name], `invalid label name ${name}`)
    if (value.includes('{{')) {
      report([...path, 'labels', name], 'templates in labels of a route are not supported')
    }
  }
  for (const key of ['mute_time_intervals', 'active_time_intervals'] as const) {
    for (const [index, name] of (given[key] ?? []).entries()) {
      if (!checks.hasTimeInterval(name)) {
        report([...path, key, index], `undefined time interval ${JSON.stringify(name)} used in route`)
      }
    }
  }
}
