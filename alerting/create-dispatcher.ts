import type { AlertNotice } from '../model/alert.ts'
import { labelsFrom, labelsKey } from '../model/labels.ts'
import type { AlertmanagerConfig } from './configuration/alertmanager-config.ts'
import { dueAt, firstTick, nextTick } from './grouping/group-timer.ts'
import { type Integration, type Look, lookAtGroup } from './grouping/look-at-group.ts'
import type { Receiver } from './receiver.ts'
import { groupKey, groupLabelsOf } from './routing/group-key.ts'
import { allRoutes, matchRoutes, type Route } from './routing/route.ts'
import type { AlertingEvent } from './state/alerting-event.ts'
import type { AlertingState } from './state/alerting-state.ts'
import { type Group, isOutstanding } from './state/group.ts'
import { alertKey, isFiring, isTransition, mergeNotice, type StoredAlert } from './state/stored-alert.ts'

/** What a dispatcher works with. */
export interface DispatcherOptions {
  readonly state: AlertingState
  readonly config: AlertmanagerConfig
  /** Applies events and sees that they become durable. */
  readonly record: (events: readonly AlertingEvent[]) => void
  readonly deliverWithinMs: number
  readonly externalUrl: string
  readonly newId: () => string
  readonly isInFlight: (intentId: string) => boolean
}

/** Notices → routes → groups → looks at the groups when their timers say so. Does nothing by itself: time is handed in. */
export interface Dispatcher {
  readonly config: AlertmanagerConfig
  receive(notices: readonly AlertNotice[], nowMs: number): void
  /** Looks at every group that is due. */
  look(nowMs: number): void
  /** A message of the group is no longer under way: what waited for that is done. */
  settle(groupId: string, nowMs: number): void
  /** When {@link Dispatcher.look} has something to do next, epoch milliseconds; null: never. */
  nextDueMs(): number | null
  /** The groups that an alert is in, or would be in. */
  placesOf(alert: StoredAlert): readonly { readonly route: Route; readonly groupId: string }[]
  /** When a group is looked at next. */
  dueOf(group: Group): number
  /** The newest look at a group. */
  lastLookOf(groupId: string): { readonly atMs: number; readonly look: Look } | null
}

/** The integrations of a receiver, in order. */
export function integrationsOf(receiver: Receiver): Integration[] {
  const of = (kind: string, entries: readonly { readonly sendResolved: boolean }[]) =>
    entries.map(({ sendResolved }, index) => ({ key: `${kind}/${index}`, sendResolved }))
  return [...of('webhook', receiver.webhooks), ...of('email', receiver.emails)]
}

/** Where a group's timers come from when its node is gone from the configuration. */
const DETACHED_TIMERS = {
  groupWaitMs: 0,
  groupIntervalMs: 300_000,
  repeatIntervalMs: Number.POSITIVE_INFINITY,
}

/**
 * Makes a dispatcher over a state that may come from before a restart, or from another configuration: alerts are placed anew,
 * groups keep their timers and ledgers, and groups without a place stay as long as somebody is owed an ending.
 */
export function createDispatcher(options: DispatcherOptions, nowMs: number): Dispatcher {
  const { state, config, record } = options
  const routes = new Map([...allRoutes(config.route)].map((route) => [route.id, route]))
  const places = new Map<string, readonly { readonly route: Route; readonly groupId: string }[]>()
  const looks = new Map<string, { atMs: number; look: Look }>()
  const waiting = new Set<string>()

  function placesOf(alert: StoredAlert): readonly { readonly route: Route; readonly groupId: string }[] {
    const key = alertKey(alert.tenant, alert.fingerprint)
    let found = places.get(key)
    if (found === undefined) {
      found = matchRoutes(config.route, alert.labels).map((route) => ({
        route,
        groupId: `${alert.tenant}\n${route.id}\n${labelsKey(groupLabelsOf(route, alert.labels))}`,
      }))
      places.set(key, found)
    }
    return found
  }

  function place(alert: StoredAlert, now: number): void {
    for (const { route, groupId } of placesOf(alert)) {
      const group = state.groups.get(groupId)
      if (group?.members.includes(alert.fingerprint)) continue
      // Nobody knows of an alert that has ended already.
      if (!isFiring(alert, now)) continue
      if (group === undefined)
        record([{ type: 'group', group: newGroup(alert, route, groupId, firstTick(now, route)) }])
      record([{ type: 'joined', groupId, fingerprint: alert.fingerprint }])
    }
  }

  function receive(notices: readonly AlertNotice[], now: number): void {
    for (const notice of notices) {
      const merged = mergeNotice(null, notice, now)
      const key = alertKey(merged.tenant, merged.fingerprint)
      const known = state.alerts.get(key) ?? null
      const alert = known === null ? merged : mergeNotice(known, notice, now)
      if (known === null && !isFiring(alert, now)) continue
      if (isTransition(known, alert, now)) record([{ type: 'alert', alert }])
      // A restart believes restored alerts for a while: news that it still fires need not be durable.
      else state.alerts.set(key, alert)
      place(alert, now)
    }
  }

  function timersOf(group: Group) {
    return routes.get(group.routeId) ?? DETACHED_TIMERS
  }

  function dueOf(group: Group): number {
    return dueAt(group, timersOf(group), looks.get(group.id)?.atMs ?? Number.NEGATIVE_INFINITY)
  }

  function lookAt(group: Group, tickMs: number, now: number): void {
    const receiver = config.receivers.get(group.receiver)
    const look = lookAtGroup(group, {
      ...options,
      route: routes.get(group.routeId) ?? null,
      integrations: receiver === undefined ? [] : integrationsOf(receiver),
      nowMs: now,
      tickMs,
    })
    looks.set(group.id, { atMs: tickMs, look })
    if (look.mustLookAgain) waiting.add(group.id)
    if (look.events.length > 0) record(look.events)
  }

  function tidy(groupId: string, now: number, keepsEnded = false): void {
    const group = state.groups.get(groupId)
    if (group === undefined) return
    const receiver = config.receivers.get(group.receiver)
    for (const fingerprint of group.members) {
      const alert = state.alerts.get(alertKey(group.tenant, fingerprint))
      const isOn = alert !== undefined && isFiring(alert, now)
      const isPlaced = alert !== undefined && placesOf(alert).some((known) => known.groupId === groupId)
      if ((isPlaced && (isOn || keepsEnded)) || (receiver !== undefined && isOutstanding(group, fingerprint)))
        continue
      record([{ type: 'left', groupId, fingerprint }])
      if (!isOn) forgetAlert(group.tenant, fingerprint)
    }
    const left = state.groups.get(groupId)
    const hasPending = Object.values(left?.ledgers ?? {}).some(({ pending }) => pending !== null)
    if (left?.members.length === 0 && (!hasPending || receiver === undefined)) {
      record([{ type: 'group-gone', groupId }])
      looks.delete(groupId)
      waiting.delete(groupId)
    }
  }

  function forgetAlert(tenant: string, fingerprint: string): void {
    const isElsewhere = [...state.groups.values()].some(
      (group) => group.tenant === tenant && group.members.includes(fingerprint),
    )
    if (isElsewhere) return
    places.delete(alertKey(tenant, fingerprint))
    record([{ type: 'alert-gone', tenant, fingerprint }])
  }

  for (const alert of [...state.alerts.values()]) place(alert, nowMs)
  // What ended without being told goes with its group's next look, as if nothing had been restarted.
  for (const groupId of [...state.groups.keys()]) tidy(groupId, nowMs, true)

  return {
    config,
    receive,
    placesOf,
    dueOf,
    lastLookOf: (groupId) => looks.get(groupId) ?? null,
    look: (now) => {
      for (const group of [...state.groups.values()]) {
        const due = dueOf(group)
        if (due > now) continue
        const timers = timersOf(group)
        // After a sleep the newest tick counts, not the first one that was missed.
        const missed = Math.floor((now - due) / timers.groupIntervalMs)
        const tickMs = due + missed * timers.groupIntervalMs
        lookAt(group, tickMs, now)
        if (group.nextTickMs <= now) {
          const next = nextTick(group.nextTickMs, timers, now)
          record([{ type: 'ticked', groupId: group.id, nextTickMs: next }])
        }
        tidy(group.id, now)
      }
    },
    settle: (groupId, now) => {
      const group = state.groups.get(groupId)
      if (group !== undefined && waiting.delete(groupId)) {
        lookAt(group, looks.get(groupId)?.atMs ?? now, now)
      }
      tidy(groupId, now)
    },
    nextDueMs: () => {
      let next: number | null = null
      for (const group of state.groups.values()) {
        const due = dueOf(group)
        if (next === null || due < next) next = due
      }
      return next
    },
  }
}

function newGroup(alert: StoredAlert, route: Route, id: string, nextTickMs: number): Group {
  const groupLabels = groupLabelsOf(route, alert.labels)
  return {
    id,
    tenant: alert.tenant,
    routeId: route.id,
    receiver: route.receiver,
    groupKey: groupKey(route, groupLabels),
    groupLabels,
    routeLabels: labelsFrom(Object.entries(route.labels)),
    nextTickMs,
    members: [],
    ledgers: {},
  }
}
