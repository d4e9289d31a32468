import { compileMatcher, type Matcher } from '../../model/matcher.ts'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import { matchersKey } from '../routing/group-key.ts'
import type { AlertingEvent } from '../state/alerting-event.ts'
import type { AlertingState } from '../state/alerting-state.ts'
import { type Silence, silenceState } from './silence.ts'

/** A silence that is asked for. Times epoch milliseconds. */
export interface SilenceRequest {
  readonly tenant: string
  /** The silence to change; null: a new one. */
  readonly id: string | null
  readonly matchers: readonly Matcher[]
  readonly startsAtMs: number
  readonly endsAtMs: number
  readonly createdBy: string
  readonly comment: string
  readonly annotations: Readonly<Record<string, string>>
}

/**
 * Makes or changes a silence as Alertmanager does: one that is active or pending and keeps its matchers is changed in place;
 * otherwise the old one expires and a new one begins. Throws INVALID_ARGUMENT or NOT_FOUND.
 */
export function setSilence(
  state: AlertingState,
  request: SilenceRequest,
  nowMs: number,
  newId: () => string,
): { readonly id: string; readonly events: readonly AlertingEvent[] } {
  checkSilence(request, nowMs)
  const events: AlertingEvent[] = []
  let id: string | null = null
  // What has begun or is over is not rewritten: the past stays as it was.
  let startsAtMs = Math.max(request.startsAtMs, nowMs)
  if (request.id !== null) {
    const old = findSilence(state, request.tenant, request.id)
    const oldState = silenceState(old, nowMs)
    const isSame = matchersKey(old.matchers) === matchersKey(request.matchers)
    if (
      isSame &&
      oldState !== 'expired' &&
      (oldState === 'pending' || request.startsAtMs === old.startsAtMs)
    ) {
      id = old.id
      if (oldState === 'active') startsAtMs = old.startsAtMs
    } else events.push(...expireSilence(state, request.tenant, old.id, nowMs))
  }
  id ??= newId()
  const { tenant, matchers, endsAtMs, createdBy, comment, annotations } = request
  const silence: Silence = {
    id,
    tenant,
    matchers,
    startsAtMs,
    endsAtMs,
    createdBy,
    comment,
    annotations,
    updatedAtMs: nowMs,
  }
  return { id, events: [...events, { type: 'silence', silence }] }
}

/** Ends a silence now; one that is over stays as it is. Throws NOT_FOUND. */
export function expireSilence(
  state: AlertingState,
  tenant: string,
  id: string,
  nowMs: number,
): AlertingEvent[] {
  const silence = findSilence(state, tenant, id)
  const current = silenceState(silence, nowMs)
  if (current === 'expired') return []
  const startsAtMs = current === 'pending' ? nowMs : silence.startsAtMs
  return [{ type: 'silence', silence: { ...silence, startsAtMs, endsAtMs: nowMs, updatedAtMs: nowMs } }]
}

/** A silence of the tenant. Throws NOT_FOUND. */
export function findSilence(state: AlertingState, tenant: string, id: string): Silence {
  const silence = state.silences.get(id)
  if (silence !== undefined && silence.tenant === tenant) return silence
  throw new AppError('NOT_FOUND', `Cannot find silence ${id}: there is no such silence`)
}

function checkSilence(request: SilenceRequest, nowMs: number): void {
  const refuse = (why: string): never => {
    throw new AppError('INVALID_ARGUMENT', `Cannot set the silence: ${why}`)
  }
  const { matchers, startsAtMs, endsAtMs } = request
  if (matchers.length === 0) refuse('at least one matcher required')
  for (const matcher of matchers) {
    if (matcher.name === '') refuse('a matcher has no label name')
    try {
      compileMatcher(matcher)
    } catch (error) {
      refuse(`invalid label matcher ${matcher.name}: ${errorMessage(error)}`)
    }
  }
  if (matchers.every((matcher) => compileMatcher(matcher)(''))) {
    refuse('at least one matcher must not match the empty string')
  }
  if (!(startsAtMs < endsAtMs)) refuse('the end time must be after the start time')
  if (endsAtMs <= nowMs) refuse('the end time cannot be in the past')
}
