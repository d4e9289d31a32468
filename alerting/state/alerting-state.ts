import type { Silence } from '../muting/silence.ts'
import type { AlertingEvent } from './alerting-event.ts'
import {
  type Group,
  type Ledger,
  ledgerOf,
  withClosed,
  withDelivery,
  withFailure,
  withIntent,
} from './group.ts'
import { type Intent, KEPT_ATTEMPTS, printsOf } from './intent.ts'
import { alertKey, type StoredAlert } from './stored-alert.ts'

/** Everything alerting knows. Changed by {@link applyEvent} only, so that the log can make it again. */
export interface AlertingState {
  /** By {@link alertKey}. */
  readonly alerts: Map<string, StoredAlert>
  readonly groups: Map<string, Group>
  /** Pending ones, and those that ended lately, in the order of their making. */
  readonly intents: Map<string, Intent>
  readonly silences: Map<string, Silence>
}

/** A state in which nothing has happened. */
export function emptyState(): AlertingState {
  return { alerts: new Map(), groups: new Map(), intents: new Map(), silences: new Map() }
}

/** The events that make this state from the empty one. */
export function snapshotEvents(state: AlertingState): AlertingEvent[] {
  return [
    ...[...state.alerts.values()].map((alert): AlertingEvent => ({ type: 'alert', alert })),
    // Intents first: a group's ledger knows what became of them.
    ...[...state.intents.values()].map((intent): AlertingEvent => ({ type: 'intent', intent })),
    ...[...state.groups.values()].map((group): AlertingEvent => ({ type: 'group', group })),
    ...[...state.silences.values()].map((silence): AlertingEvent => ({ type: 'silence', silence })),
  ]
}

/** Makes the change. What an event refers to and is not there is passed over: it was dropped on purpose. */
export function applyEvent(state: AlertingState, event: AlertingEvent): void {
  switch (event.type) {
    case 'alert':
      state.alerts.set(alertKey(event.alert.tenant, event.alert.fingerprint), event.alert)
      return
    case 'alert-gone':
      state.alerts.delete(alertKey(event.tenant, event.fingerprint))
      return
    case 'group':
      state.groups.set(event.group.id, event.group)
      return
    case 'group-gone':
      state.groups.delete(event.groupId)
      return
    case 'joined':
      changeGroup(state, event.groupId, (group) => ({
        ...group,
        members: group.members.includes(event.fingerprint)
          ? group.members
          : [...group.members, event.fingerprint],
      }))
      return
    case 'left':
      changeGroup(state, event.groupId, (group) => ({
        ...group,
        members: group.members.filter((print) => print !== event.fingerprint),
      }))
      return
    case 'ticked':
      changeGroup(state, event.groupId, (group) => ({ ...group, nextTickMs: event.nextTickMs }))
      return
    case 'intent':
      addIntent(state, event.intent)
      return
    case 'evidence':
      changeIntent(state, event.intentId, (intent) => ({
        ...intent,
        hasEvidence: true,
        notification: { ...intent.notification, evidence: event.evidence },
      }))
      return
    case 'attempt':
      changeIntent(state, event.intentId, (intent) => ({
        ...intent,
        attemptCount: event.attempt.number,
        attempts: [...intent.attempts, event.attempt].slice(-KEPT_ATTEMPTS),
        nextAttemptAtMs: event.nextAttemptAtMs,
        recipients: event.recipients,
      }))
      return
    case 'ended':
      endIntent(state, event)
      return
    case 'closed':
      changeLedger(state, event.groupId, event.integration, (ledger) =>
        withClosed(ledger, event.fingerprints),
      )
      return
    case 'intent-gone':
      state.intents.delete(event.intentId)
      return
    case 'silence':
      state.silences.set(event.silence.id, event.silence)
      return
    case 'silence-gone':
      state.silences.delete(event.silenceId)
  }
}

function addIntent(state: AlertingState, intent: Intent): void {
  state.intents.set(intent.id, intent)
  if (intent.state !== 'pending') return
  const group = state.groups.get(intent.groupId)
  if (group === undefined) return
  const replaced = ledgerOf(group, intent.integration).pending
  if (replaced !== null && replaced.intentId !== intent.id) {
    changeIntent(state, replaced.intentId, (old) => ({
      ...old,
      state: 'superseded',
      reason: 'a newer message about the same group replaced it before it was delivered',
      supersededBy: intent.id,
      endedAtMs: intent.notification.createdAtMs,
    }))
  }
  changeLedger(state, intent.groupId, intent.integration, (ledger) =>
    withIntent(ledger, { id: intent.id, ...printsOf(intent.notification) }),
  )
}

function endIntent(state: AlertingState, event: Extract<AlertingEvent, { type: 'ended' }>): void {
  const intent = state.intents.get(event.intentId)
  if (intent === undefined || intent.state !== 'pending') return
  state.intents.set(intent.id, {
    ...intent,
    state: event.state,
    reason: event.reason,
    endedAtMs: event.atMs,
  })
  const prints = printsOf(intent.notification)
  changeLedger(state, intent.groupId, intent.integration, (ledger) =>
    event.state === 'delivered'
      ? withDelivery(ledger, { ...prints, tickMs: intent.tickMs })
      : withFailure(ledger, prints.resolved),
  )
}

function changeGroup(state: AlertingState, id: string, change: (group: Group) => Group): void {
  const group = state.groups.get(id)
  if (group !== undefined) state.groups.set(id, change(group))
}

function changeIntent(state: AlertingState, id: string, change: (intent: Intent) => Intent): void {
  const intent = state.intents.get(id)
  if (intent !== undefined) state.intents.set(id, change(intent))
}

function changeLedger(
  state: AlertingState,
  groupId: string,
  integration: string,
  change: (ledger: Ledger) => Ledger,
): void {
  changeGroup(state, groupId, (group) => ({
    ...group,
    ledgers: { ...group.ledgers, [integration]: change(ledgerOf(group, integration)) },
  }))
}
