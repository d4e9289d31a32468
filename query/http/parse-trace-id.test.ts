import { expect, test } from 'vitest'
import { parseTraceId } from './parse-trace-id.ts'

test.each([
  ['0af7651916cd43dd8448eb211c80319c', '0af7651916cd43dd8448eb211c80319c'],
  ['0AF7651916CD43DD8448EB211C80319C', '0af7651916cd43dd8448eb211c80319c'],
  ['af7651916cd43dd8448eb211c80319c', '0af7651916cd43dd8448eb211c80319c'],
  ['8448eb211c80319c', '00000000000000008448eb211c80319c'],
  ['1', '00000000000000000000000000000001'],
])('%s is %s', (text, id) => {
  expect(parseTraceId(text)).toBe(id)
})

test.each([
  '',
  '0',
  '00000000000000000000000000000000',
  'xyz',
  '0af7651916cd43dd8448eb211c80319c0',
  ' 1',
  '1\n',
])('%j is no trace id', (text) => {
  expect(parseTraceId(text)).toBeNull()
})
