import { describe, expect, test } from 'vitest'
import { parseLogfmt } from './parse-logfmt.ts'
import { parseTempoSearch } from './parse-tempo-search.ts'

const NOW = Date.parse('2026-11-20T10:00:00Z')

describe('logfmt', () => {
  test.each([
    ['', []],
    ['a=b', [{ key: 'a', value: 'b' }]],
    [
      ' service.name=cart  http.url="/a b" ',
      [
        { key: 'service.name', value: 'cart' },
        { key: 'http.url', value: '/a b' },
      ],
    ],
    ['q="say \\"hi\\" \\\\ \\n"', [{ key: 'q', value: 'say "hi" \\ \n' }]],
    [
      'empty= x=1',
      [
        { key: 'empty', value: '' },
        { key: 'x', value: '1' },
      ],
    ],
    ['url=/a?b=c', [{ key: 'url', value: '/a?b=c' }]],
  ])('%j', (text, pairs) => {
    expect(parseLogfmt(text)).toEqual(pairs)
  })

  test.each([
    ['a', 'at pos 1'],
    ['a=b c', 'at pos 4'],
    ['a="b', 'at pos 1'],
    ['a="b"c', 'at pos 1'],
    ['a=1 a=2', 'tag a has been set twice'],
  ])('%j is none', (text, message) => {
    expect(() => parseLogfmt(text)).toThrow(message)
  })
})

describe("a search's parameters", () => {
  test('by tags', () => {
    const query = {
      tags: 'service.name=cart name="GET /" status=error kind=server http.status_code=503',
      minDuration: '1s',
      maxDuration: '2s',
      start: '1763625600',
      end: '1763629200',
      limit: '5',
      spss: '3',
    }
    expect(parseTempoSearch(query, NOW)).toEqual({
      filter: {
        service: 'cart',
        operation: 'GET /',
        status: 'error',
        kind: 'server',
        attributes: [{ key: 'http.status_code', value: '503' }],
        minDurationNs: 1_000_000_000n,
        maxDurationNs: 2_000_000_000n,
      },
      startMs: 1763625600000,
      endMs: 1763629200000,
      limit: 5,
    })
  })

  test('by TraceQL', () => {
    expect(parseTempoSearch({ q: '{name="x"}' }, NOW)).toEqual({
      filter: { operation: 'x' },
      startMs: NOW + 1 - 3_600_000,
      endMs: NOW + 1,
      limit: 20,
    })
  })

  test.each([
    [{ q: '{}', tags: 'a=b' }, 'together'],
    [{ start: '2', end: '1' }, 'start must be before end'],
    [{ start: 'now' }, "'start': expected whole seconds"],
    [{ limit: '0' }, "'limit'"],
    [{ minDuration: '2s', maxDuration: '1s' }, 'invalid maxDuration'],
    [{ minDuration: 'long' }, "'minDuration'"],
  ])('%j', (query, message) => {
    expect(() => parseTempoSearch(query, NOW)).toThrow(message)
  })
})
