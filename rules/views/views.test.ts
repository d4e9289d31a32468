import { describe, expect, test } from 'vitest'
import { labelsFrom } from '../../model/labels.ts'
import { readRuleFile } from '../files/read-rule-file.ts'
import type { AlertInstance } from '../next-alert-state.ts'
import type { GroupState } from '../rule-state.ts'
import { nativeAlerts, nativeRules } from './native-rules.ts'
import { ruleAlert, rulesResponse } from './native-rules-schemas.ts'
import { prometheusAlerts, prometheusRules } from './prometheus-rules.ts'

const ALERT: AlertInstance = {
  labels: labelsFrom([['alertname', 'Down']]),
  annotations: labelsFrom([['summary', 'x is down']]),
  value: 1,
  state: 'firing',
  activeAtMs: 1000,
  firedAtMs: 61_000,
  resolvedAtMs: null,
  keepFiringSinceMs: null,
  lastSentAtMs: 61_000,
}

function states(): GroupState[] {
  const { groups } = readRuleFile(
    `groups:
- name: g
  limit: 5
  rules:
  - {record: 'a:b', expr: 'sum( up )', labels: {team: mesh}}
  - {alert: Down, expr: up==0, for: 1m, keep_firing_for: 30s, labels: {severity: page}, annotations: {summary: '{{ $labels.job }} is down'}}
`,
    'r.yml',
  )
  return groups.map((group) => ({
    group,
    intervalMs: 15_000,
    queryOffsetMs: 0,
    lastEvaluationMs: 61_000,
    durationMs: 2.5,
    evaluations: 3,
    missed: 1,
    rules: group.rules.map((rule) => ({
      rule,
      health: rule.kind === 'recording' ? ('err' as const) : ('ok' as const),
      lastError: rule.kind === 'recording' ? 'storage is away' : null,
      lastEvaluationMs: rule.kind === 'recording' ? null : 61_000,
      durationMs: 1,
      elements: 1,
      alerts:
        rule.kind === 'alerting'
          ? [ALERT, { ...ALERT, state: 'inactive' as const, resolvedAtMs: 62_000 }]
          : [],
    })),
  }))
}

describe('prometheusRules', () => {
  test('answers as Prometheus does', () => {
    expect(prometheusRules(states())).toEqual({
      groups: [
        {
          name: 'g',
          file: 'r.yml',
          interval: 15,
          limit: 5,
          evaluationTime: 0.0025,
          lastEvaluation: '1970-01-01T00:01:01.000Z',
          rules: [
            {
              name: 'a:b',
              query: 'sum(up)',
              labels: { team: 'mesh' },
              health: 'err',
              lastError: 'storage is away',
              evaluationTime: 0.001,
              lastEvaluation: '0001-01-01T00:00:00Z',
              type: 'recording',
            },
            {
              state: 'firing',
              name: 'Down',
              query: 'up == 0',
              duration: 60,
              keepFiringFor: 30,
              labels: { severity: 'page' },
              annotations: { summary: '{{ $labels.job }} is down' },
              alerts: [
                {
                  labels: { alertname: 'Down' },
                  annotations: { summary: 'x is down' },
                  state: 'firing',
                  activeAt: '1970-01-01T00:00:01.000Z',
                  value: '1e+00',
                },
              ],
              health: 'ok',
              evaluationTime: 0.001,
              lastEvaluation: '1970-01-01T00:01:01.000Z',
              type: 'alerting',
            },
          ],
        },
      ],
    })
    expect(prometheusAlerts(states())).toMatchObject({ alerts: [{ state: 'firing', value: '1e+00' }] })
  })

  test.each([
    [{ type: 'alert' as const }, ['Down']],
    [{ type: 'record' as const }, ['a:b']],
    [{ ruleNames: ['Down', 'x'] }, ['Down']],
    [{ ruleGroups: ['h'] }, []],
    [{ files: ['r.yml'] }, ['a:b', 'Down']],
    [{ match: [[{ name: 'severity', op: '=' as const, value: 'page' }]] }, ['Down']],
    [{ match: [[{ name: 'severity', op: '=' as const, value: 'info' }]] }, []],
  ])('with %j gives %j', (filter, expected) => {
    const { groups } = prometheusRules(states(), filter) as { groups: { rules: { name: string }[] }[] }
    expect(groups.flatMap(({ rules }) => rules.map(({ name }) => name))).toEqual(expected)
  })

  test('leaves alerts out when asked to', () => {
    expect(JSON.stringify(prometheusRules(states(), { excludeAlerts: true }))).not.toContain('activeAt')
  })
})

describe('nativeRules', () => {
  test('tells times in nanoseconds, as text', () => {
    expect(nativeRules(states())).toMatchObject({
      groups: [
        {
          name: 'g',
          intervalNanos: '15000000000',
          missedEvaluations: 1,
          lastDurationNanos: '2500000',
          rules: [
            { kind: 'recording', health: 'err', lastEvaluationUnixNano: null },
            {
              kind: 'alerting',
              state: 'firing',
              holdNanos: '60000000000',
              alerts: [{ state: 'firing' }, { state: 'inactive' }],
            },
          ],
        },
      ],
    })
    expect(nativeAlerts(states(), 'http://mesh.test')[0]).toMatchObject({
      group: 'g',
      rule: 'Down',
      generatorUrl: 'http://mesh.test/graph?g0.expr=up%3D%3D0&g0.tab=1',
      firedAtUnixNano: '61000000000',
    })
  })

  test('has the form that is described', () => {
    const rules = nativeRules(states())
    expect(rulesResponse.parse(JSON.parse(JSON.stringify(rules)))).toEqual(JSON.parse(JSON.stringify(rules)))
    for (const alert of nativeAlerts(states(), 'http://mesh.test')) ruleAlert.parse({ ...alert })
    expect(() => rulesResponse.parse({ ...rules, more: 1 })).toThrow('more')
  })
})
