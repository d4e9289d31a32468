import { expect, test } from 'vitest'
import { readRuleFile } from './files/read-rule-file.ts'
import { createRuleWindows } from './rule-window.ts'

test('the window of a rule is its widest range, or that of what it is made of', () => {
  const { groups } = readRuleFile(
    `groups:
- name: g
  rules:
  - {record: 'r:hour', expr: 'rate(x[1h])'}
  - {record: 'r:chain', expr: 'r:hour * 2'}
  - {record: 'r:self', expr: 'r:self + 1'}
`,
    'r.yml',
  )
  const windowOf = createRuleWindows(groups)
  const minutes = [
    'up == 0',
    'rate(x[10m]) > 1',
    'rate(x[15s]) > 1',
    'r:chain > 1',
    'max_over_time(rate(x[10m])[30m:1m])',
    'r:self',
    'not PromQL (',
  ]
  expect(minutes.map((expr) => windowOf(expr) / 60_000)).toEqual([5, 10, 0.25, 60, 40, 5, 5])
})
