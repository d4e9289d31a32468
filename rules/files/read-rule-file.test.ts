import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readRuleFile } from './read-rule-file.ts'
import { ruleProblemText } from './rule-problem.ts'

function problems(yaml: string): string[] {
  return readRuleFile(yaml, 'r.yml').problems.map(ruleProblemText)
}

/** A group `g` with one rule of these lines. */
function oneRule(...lines: string[]): string {
  return `groups:\n- name: g\n  rules:\n  - ${lines.join('\n    ')}\n`
}

describe('readRuleFile', () => {
  test('reads groups as Prometheus writes them', () => {
    const { groups, problems: found } = readRuleFile(
      `groups:
- name: g
  interval: 30s
  query_offset: 1m
  limit: 10
  labels: {team: mesh, severity: info}
  rules:
  - record: a:b
    expr: |
      sum(up)
    labels: {n: 1.0, yes: true}
  - alert: Down
    expr: up == 0
    for: 5m
    keep_firing_for: 1h
    labels: {severity: page}
    annotations: {summary: '{{ $labels.job }} is down'}
`,
      'r.yml',
    )
    expect(found).toEqual([])
    expect(groups).toEqual([
      {
        name: 'g',
        file: 'r.yml',
        intervalMs: 30_000,
        queryOffsetMs: 60_000,
        limit: 10,
        rules: [
          {
            kind: 'recording',
            name: 'a:b',
            expr: 'sum(up)',
            labels: [
              ['team', 'mesh'],
              ['severity', 'info'],
              ['n', '1.0'],
              ['yes', 'true'],
            ],
          },
          {
            kind: 'alerting',
            name: 'Down',
            expr: 'up == 0',
            holdMs: 300_000,
            keepFiringForMs: 3_600_000,
            labels: [
              ['team', 'mesh'],
              ['severity', 'page'],
            ],
            annotations: [['summary', '{{ $labels.job }} is down']],
          },
        ],
      },
    ])
  })

  test('reads PrometheusRule resources, several in a file and in a list, passing over others', () => {
    const { groups, problems: found } = readRuleFile(
      `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: one, namespace: mesh}
spec:
  groups:
  - name: g
    partial_response_strategy: warn
    rules: [{record: a, expr: 1}]
---
kind: List
items:
- kind: PrometheusRule
  metadata: {name: two}
  spec: {groups: [{name: g, rules: [{alert: A, expr: vector(1)}]}]}
- kind: ConfigMap
`,
      'r.yml',
    )
    expect(groups.map(({ file, name, rules }) => [file, name, rules[0]?.expr])).toEqual([
      ['r.yml#mesh/one', 'g', '1'],
      ['r.yml#two', 'g', 'vector(1)'],
    ])
    expect(found.map(({ severity }) => severity)).toEqual(['warning', 'warning'])
  })

  test('follows anchors and merge keys', () => {
    const { groups, problems: found } = readRuleFile(
      `groups:
- name: g
  rules:
  - &base {alert: A, expr: up, for: 1m, labels: &l {a: b}}
  - {<<: *base, alert: B}
  - {alert: C, expr: up, labels: *l}
`,
      'r.yml',
    )
    expect(found).toEqual([])
    expect(groups[0]?.rules.map((rule) => [rule.name, rule.labels, 'holdMs' in rule && rule.holdMs])).toEqual(
      [
        ['A', [['a', 'b']], 60_000],
        ['B', [['a', 'b']], 60_000],
        ['C', [['a', 'b']], 0],
      ],
    )
  })

  test.each([
    ['', []],
    ['groups:', []],
    ['[]', ['r.yml: 1:1: cannot unmarshal the document: a mapping with the field groups is expected']],
    ['groups: [{name: ""}]', ['r.yml: 1:10: Groupname must not be empty']],
    ['groups: [{name: g}, {name: g}]', ['r.yml: 1:21: groupname: "g" is repeated in the same file']],
    ['groups: [{name: g, nam: x}]', ['r.yml: 1:20: field nam not found in type RuleGroup']],
    ['group: []', ['r.yml: 1:1: field group not found in type RuleGroups']],
    ['groups: [{name: g, interval: 5}]', ['r.yml: 1:30: not a valid duration string: "5"']],
    [
      'groups: [{name: g, limit: many}]',
      ['r.yml: 1:27: cannot unmarshal "many" into limit: a whole number is expected'],
    ],
    [oneRule('expr: up'), [`r.yml: 4:5: group "g", rule 1, "": one of 'record' or 'alert' must be set`]],
    [
      oneRule('record: a', 'alert: b', 'expr: up'),
      [`r.yml: 4:13: group "g", rule 1, "a": only one of 'record' and 'alert' must be set`],
    ],
    [oneRule('alert: b'), [`r.yml: 4:5: group "g", rule 1, "b": field 'expr' must be set in rule`]],
    [
      oneRule('alert: b', 'expr: up{'),
      [
        'r.yml: 5:11: group "g", rule 1, "b": could not parse expression: 1:4: parse error: unexpected end of input inside braces',
      ],
    ],
    [
      oneRule('record: b', 'expr: up', 'for: 1m', 'annotations: {a: b}'),
      [
        `r.yml: 7:18: group "g", rule 1, "b": invalid field 'annotations' in recording rule`,
        `r.yml: 6:10: group "g", rule 1, "b": invalid field 'for' in recording rule`,
      ],
    ],
    [
      oneRule('record: "b{c=\\"d\\"}"', 'expr: up'),
      [
        'r.yml: 4:13: group "g", rule 1, "b{c=\\"d\\"}": braces present in the recording rule name; should it be in expr?: b{c="d"}',
      ],
    ],
    [
      oneRule('alert: b', 'expr: up', 'labels: {__name__: x}'),
      ['r.yml: 6:13: group "g", rule 1, "b": invalid label name: __name__'],
    ],
    [
      oneRule('alert: b', 'expr: up', 'annotations: {a: "{{ $value | nothing }}"}'),
      [
        'r.yml: 6:22: group "g", rule 1, "b": annotation "a": error parsing template: template: __alert_b:1: function "nothing" not defined',
      ],
    ],
    [oneRule('alert: b', 'expr: up', 'expr: up'), ['r.yml: 6:5: yaml: Map keys must be unique']],
  ])('says of %j', (yaml, expected) => {
    expect(problems(yaml)).toEqual(expected)
  })

  test('reports everything at once, and unknown fields not when asked', () => {
    const yaml = 'groups: [{name: g, x: 1, rules: [{alert: a, expr: "1 +"}, {record: b, expr: "(", y: 2}]}]'
    expect(problems(yaml)).toHaveLength(4)
    const lenient = readRuleFile(yaml, 'r.yml', { ignoreUnknownFields: true })
    expect(lenient.problems).toHaveLength(2)
  })

  test('reports problems of whatever text, and never throws', () => {
    const pack = readFileSync(join(import.meta.dirname, '../packs/mesh.yaml'), 'utf8').slice(0, 6000)
    const cut = fc.tuple(fc.nat(pack.length), fc.nat(200), fc.string({ maxLength: 8, unit: 'binary' }))
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 4 }), (cuts) => {
        let text = pack
        for (const [at, length, put] of cuts) text = text.slice(0, at) + put + text.slice(at + length)
        const { problems: found } = readRuleFile(text, 'r.yml')
        expect(found.every(({ line, column }) => line >= 1 && column >= 1)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})
