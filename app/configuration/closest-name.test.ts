import { expect, test } from 'vitest'
import { closestName } from './closest-name.ts'

test.each([
  ['hots', 'host'],
  ['Port', 'port'],
  ['metricsIntervall', 'metricsInterval'],
  ['foo', null],
  ['x', null],
  ['', null],
])('%j means %j', (name, meant) => {
  expect(closestName(name, ['host', 'port', 'metricsInterval', 'log'])).toBe(meant)
})
