import { type Labels, labelsToRecord } from '../../model/labels.ts'
import type { TemplateStruct, Value } from '../../model/template/value.ts'
import type { Evidence } from '../evidence.ts'
import type { Notification, NotifiedAlert } from '../notifier.ts'

/** `0001-01-01T00:00:00Z`, Go's time that is not set: the end of an alert that fires. */
const GO_ZERO_TIME_MS = Date.parse('0001-01-01T00:00:00Z')

/**
 * A notification as templates see it: Alertmanager's data (Receiver, Status, Alerts with Firing and Resolved, GroupLabels,
 * CommonLabels, CommonAnnotations, ExternalURL, GroupKey, NotificationReason), and ours under Evidence and IsLate.
 */
export function templateData(notification: Notification): TemplateStruct {
  const { alerts, externalUrl } = notification
  return struct('template.Data', {
    Receiver: notification.receiver,
    Status: notification.status,
    Alerts: alertList(alerts),
    GroupLabels: pairs(notification.groupLabels),
    RouteLabels: pairs(notification.routeLabels),
    CommonLabels: pairs(commonPairs(alerts.map(({ labels }) => labels))),
    CommonAnnotations: pairs(commonPairs(alerts.map(({ annotations }) => annotations))),
    ExternalURL: externalUrl,
    GroupKey: notification.groupKey,
    NotificationReason: notification.reason,
    TruncatedAlerts: 0n,
    IsLate: notification.isLate,
    Evidence: notification.evidence === null ? null : evidenceData(notification.evidence),
  })
}

/** The labels that all of them have, with the same value. */
export function commonPairs(lists: readonly Labels[]): Labels {
  const [first, ...rest] = lists.map((labels) => labelsToRecord(labels))
  if (first === undefined) return []
  return Object.entries(first)
    .filter(([name, value]) => rest.every((other) => other[name] === value))
    .flat()
}

function alertList(alerts: readonly NotifiedAlert[]): TemplateStruct {
  const list = (chosen: readonly NotifiedAlert[]): Value => chosen.map(alertData)
  return {
    kind: 'struct',
    typeName: 'template.Alerts',
    content: alerts.map(alertData),
    fields: new Map<string, Value>([
      ['Firing', () => list(alerts.filter(({ status }) => status === 'firing'))],
      ['Resolved', () => list(alerts.filter(({ status }) => status === 'resolved'))],
    ]),
  }
}

function alertData(alert: NotifiedAlert): Value {
  return struct('template.Alert', {
    Status: alert.status,
    Labels: pairs(alert.labels),
    Annotations: pairs(alert.annotations),
    StartsAt: { kind: 'time', ms: alert.startsAtMs },
    EndsAt: { kind: 'time', ms: alert.endsAtMs ?? GO_ZERO_TIME_MS },
    GeneratorURL: alert.generatorUrl,
    Fingerprint: alert.fingerprint,
    Value: alert.value,
    DurationSeconds: alert.endsAtMs === null ? 0 : (alert.endsAtMs - alert.startsAtMs) / 1000,
  })
}

/** Go's template.KV: a map with methods. */
function pairs(labels: Labels): TemplateStruct {
  const entries: [string, string][] = []
  for (let at = 0; at < labels.length; at += 2) entries.push([labels[at] ?? '', labels[at + 1] ?? ''])
  // Alertmanager puts alertname first.
  const sorted = [...entries].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0))
  return {
    kind: 'struct',
    typeName: 'template.KV',
    content: new Map(entries),
    fields: new Map<string, Value>([
      ['SortedPairs', () => pairList(sorted)],
      ['Names', () => sorted.map(([name]) => name)],
      ['Values', () => sorted.map(([, value]) => value)],
      [
        'Remove',
        (names) => {
          const removed = new Set(Array.isArray(names) ? names : [])
          return pairs(entries.filter(([name]) => !removed.has(name)).flat())
        },
      ],
    ]),
  }
}

function pairList(entries: readonly (readonly [string, string])[]): Value {
  return {
    kind: 'struct',
    typeName: 'template.Pairs',
    content: entries.map(([name, value]) => struct('template.Pair', { Name: name, Value: value })),
    fields: new Map<string, Value>([
      ['Names', () => entries.map(([name]) => name)],
      ['Values', () => entries.map(([, value]) => value)],
    ]),
  }
}

function evidenceData(evidence: Evidence): Value {
  return struct('meshwatch.Evidence', {
    Traces: evidence.traces.map((trace) =>
      struct('meshwatch.Trace', {
        TraceID: trace.traceId,
        Why: trace.why,
        DurationSeconds: trace.durationMs / 1000,
        Service: trace.service,
        Operation: trace.operation,
        Link: trace.link ?? '',
      }),
    ),
    EndpointsEjected: evidence.endpointsEjected.map((ejected) =>
      struct('meshwatch.EjectedEndpoint', {
        Cluster: ejected.cluster,
        Endpoint: ejected.endpoint,
        EjectedAt: { kind: 'time', ms: ejected.ejectedAtMs },
        Reason: ejected.reason,
      }),
    ),
    By503Flag: evidence.by503Flag.map(({ flags, count, share }) =>
      struct('meshwatch.FlagShare', {
        Flags: flags === '' ? 'none' : flags,
        Count: BigInt(count),
        Share: share,
      }),
    ),
    Links: evidence.links.map(({ title, url }) => struct('meshwatch.Link', { Title: title, URL: url })),
    Problem: evidence.problem ?? '',
  })
}

function struct(typeName: string, fields: Readonly<Record<string, Value>>): TemplateStruct {
  return { kind: 'struct', typeName, fields: new Map(Object.entries(fields)) }
}

function rank(name: string): number {
  return name === 'alertname' ? 0 : 1
}
