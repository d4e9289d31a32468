import type { Labels } from '../../model/labels.ts'

/** Alerts that are told together, at one node of the routing tree. JSON through and through. */
export interface Group {
  readonly id: string
  readonly tenant: string
  readonly routeId: string
  readonly receiver: string
  readonly groupKey: string
  readonly groupLabels: Labels
  readonly routeLabels: Labels
  /** When it is looked at next, epoch milliseconds. */
  readonly nextTickMs: number
  /** Fingerprints of the alerts in it. */
  readonly members: readonly string[]
  /** What each integration of the receiver was told, by its key (`webhook/0`). */
  readonly ledgers: Readonly<Record<string, Ledger>>
}

/** What one integration was told about a group. Lists hold fingerprints. */
export interface Ledger {
  /** The last message that was delivered. */
  readonly told: {
    readonly firing: readonly string[]
    /** The tick that decided it: repeats are counted from here. */
    readonly tickMs: number
  } | null
  /** Told that they fire, and not yet that they ended: owed a closing message, whatever is muted meanwhile. */
  readonly open: readonly string[]
  /** A message was written that they fire, and none was delivered. */
  readonly owed: readonly string[]
  /** The message that is still to be delivered. */
  readonly pending: {
    readonly intentId: string
    readonly firing: readonly string[]
    readonly resolved: readonly string[]
  } | null
}

/** A ledger in which nothing stands. */
export const EMPTY_LEDGER: Ledger = { told: null, open: [], owed: [], pending: null }

/** An integration's ledger. */
export function ledgerOf(group: Group, integration: string): Ledger {
  return group.ledgers[integration] ?? EMPTY_LEDGER
}

/** Whether any integration has yet to be told about an alert. */
export function isOutstanding(group: Group, print: string): boolean {
  return Object.values(group.ledgers).some(
    ({ open, owed, pending }) =>
      open.includes(print) ||
      owed.includes(print) ||
      pending?.firing.includes(print) ||
      pending?.resolved.includes(print),
  )
}

/** The ledger after a message was written that says so. */
export function withIntent(
  ledger: Ledger,
  intent: { readonly id: string; readonly firing: readonly string[]; readonly resolved: readonly string[] },
): Ledger {
  const { firing, resolved } = intent
  return {
    ...ledger,
    // What was told already is not owed as news.
    owed: union(
      ledger.owed,
      firing.filter((print) => !ledger.open.includes(print)),
    ),
    pending: { intentId: intent.id, firing, resolved },
  }
}

/** The ledger after the pending message was delivered. */
export function withDelivery(
  ledger: Ledger,
  message: {
    readonly firing: readonly string[]
    readonly resolved: readonly string[]
    readonly tickMs: number
  },
): Ledger {
  const { firing, resolved, tickMs } = message
  return {
    told: { firing, tickMs },
    open: without(union(ledger.open, firing), resolved),
    owed: without(ledger.owed, [...firing, ...resolved]),
    pending: null,
  }
}

/** The ledger after the pending message was given up. Endings in it are not tried again; what fires is, at the next tick. */
export function withFailure(ledger: Ledger, resolved: readonly string[]): Ledger {
  return {
    ...ledger,
    open: without(ledger.open, resolved),
    owed: without(ledger.owed, resolved),
    pending: null,
  }
}

/** The ledger after endings were passed over in silence, for an integration that does not want to hear of them. */
export function withClosed(ledger: Ledger, prints: readonly string[]): Ledger {
  return {
    ...ledger,
    told: ledger.told === null ? null : { ...ledger.told, firing: without(ledger.told.firing, prints) },
    open: without(ledger.open, prints),
  }
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])]
}

function without(a: readonly string[], b: readonly string[]): string[] {
  const removed = new Set(b)
  return a.filter((print) => !removed.has(print))
}
