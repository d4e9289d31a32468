import { describe, expect, test } from 'vitest'
import { endToEndHeaders, rawHeader } from './forwarded-headers.ts'

describe('headers that go on', () => {
  test.each<[string, string[], string[]]>([
    [
      'case and order stay, repeated ones too',
      ['B', '1', 'a', '2', 'B', '3'],
      ['B', '1', 'a', '2', 'B', '3'],
    ],
    [
      'not those between neighbours',
      [
        'Connection',
        'keep-alive',
        'Keep-Alive',
        '5',
        'Transfer-Encoding',
        'chunked',
        'TE',
        'x',
        'Upgrade',
        'h2c',
        'a',
        '1',
      ],
      ['a', '1'],
    ],
    ['not those that Connection names', ['X-Hop', '1', 'connection', 'close, X-HOP', 'a', '1'], ['a', '1']],
    [
      'but always what frames the message and names the host',
      [
        'Connection',
        'content-length, host, content-type',
        'Content-Length',
        '3',
        'Host',
        'h',
        'Content-Type',
        't',
      ],
      ['Content-Length', '3', 'Host', 'h', 'Content-Type', 't'],
    ],
    ['not those dropped by name', ['X-Drop', '1', 'a', '1'], ['a', '1']],
  ])('%s', (_name, raw, expected) => {
    expect(endToEndHeaders(raw, new Set(['x-drop']))).toEqual(expected)
  })
})

test('a raw header is found whatever its case', () => {
  expect(rawHeader(['Retry-After', '3', 'retry-after', '4'], 'retry-after')).toBe('3')
  expect(rawHeader(['Retry', '3'], 'retry-after')).toBeUndefined()
})
