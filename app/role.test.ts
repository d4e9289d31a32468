import { expect, test } from 'vitest'
import { parseRoles } from './role.ts'

test('all, or a list', () => {
  expect([...parseRoles('all')]).toEqual(['ingest', 'query', 'alerting'])
  expect([...parseRoles('query, ingest')]).toEqual(['query', 'ingest'])
})

test.each(['', 'cook', 'all,query', 'query,'])('%j is refused', (text) => {
  expect(() => parseRoles(text)).toThrow(/expected all, or some of ingest, query, alerting$/)
})
