import type { Clock } from '../../runtime/clock.ts'
import { errorMessage } from '../../runtime/errors.ts'
import type { Evidence, EvidenceProvider, EvidenceRequest } from '../evidence.ts'
import type { AlertingState } from '../state/alerting-state.ts'
import type { Intent } from '../state/intent.ts'

const EVIDENCE_LIMIT_MS = 3_000
const DEFAULT_WINDOW_MS = 300_000

/**
 * Makes the function that finds a message's evidence. The messages of one look at a group that tell of the same alerts carry the same: who
 * reads the mail and who reads the chat speak of the same traces. Never rejects: what fails is said in `problem`, and the next message
 * asks again.
 */
export function createEvidenceGatherer(options: {
  readonly provider: EvidenceProvider
  readonly state: AlertingState
  readonly clock: Clock
}): (intent: Intent) => Promise<Evidence> {
  const { provider, state, clock } = options
  const underWay = new Map<string, Promise<Evidence>>()
  return async (intent) => {
    const subject = subjectOf(intent)
    for (const other of state.intents.values()) {
      if (other.groupId !== intent.groupId) continue
      const { evidence } = other.notification
      if (evidence?.problem === null && subjectOf(other) === subject) return evidence
    }
    let gathering = underWay.get(subject)
    if (gathering === undefined) {
      gathering = gatherInTime(provider, intent, clock.now()).finally(() => underWay.delete(subject))
      underWay.set(subject, gathering)
    }
    return gathering
  }
}

/** What a message is about: equal for those that one look at a group made for several integrations of the same alerts. */
function subjectOf({ groupId, notification }: Intent): string {
  const alerts = notification.alerts.map(({ status, fingerprint }) => `${status} ${fingerprint}`)
  return [groupId, notification.createdAtMs, ...alerts].join('\n')
}

async function gatherInTime(provider: EvidenceProvider, intent: Intent, nowMs: number): Promise<Evidence> {
  const { promise: limit, resolve } = Promise.withResolvers<Evidence>()
  const timer = setTimeout(() => resolve(noEvidence('it took too long')), EVIDENCE_LIMIT_MS)
  try {
    return await Promise.race([provider(evidenceRequest(intent, nowMs)), limit])
  } catch (error) {
    return noEvidence(errorMessage(error))
  } finally {
    clearTimeout(timer)
  }
}

function noEvidence(why: string): Evidence {
  return {
    traces: [],
    endpointsEjected: [],
    by503Flag: [],
    links: [],
    problem: `Cannot gather evidence: ${why}`,
  }
}

/** One alert's own labels; of several, those they have in common. */
function evidenceRequest(intent: Intent, nowMs: number): EvidenceRequest {
  const { tenant, alerts } = intent.notification
  const [first, ...others] = alerts
  const common: string[] = []
  for (let i = 0; first !== undefined && i < first.labels.length; i += 2) {
    const name = first.labels[i] ?? ''
    const value = first.labels[i + 1] ?? ''
    const isCommon = others.every(({ labels }) =>
      labels.some((text, at) => at % 2 === 0 && text === name && labels[at + 1] === value),
    )
    if (isCommon) common.push(name, value)
  }
  return {
    tenant,
    labels: common,
    startsAtMs: Math.min(nowMs, ...alerts.map((alert) => alert.startsAtMs)),
    endsAtMs: Math.max(...alerts.map((alert) => alert.endsAtMs ?? nowMs)),
    windowMs: Math.max(...alerts.map((alert) => alert.rule?.windowMs ?? DEFAULT_WINDOW_MS)),
  }
}
