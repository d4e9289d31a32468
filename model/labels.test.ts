import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareBytes,
  compareLabels,
  keepLabels,
  labelsFrom,
  labelsKey,
  labelsText,
  labelsToRecord,
  labelValue,
  quoteText,
  withLabel,
  withoutLabels,
} from './labels.ts'

const text = fc.string({ unit: 'binary', maxLength: 4 })
const anyLabels = fc.array(fc.tuple(text, text), { maxLength: 5 }).map(labelsFrom)

describe('labels', () => {
  test('are sorted, the last of a repeated name wins, empty values are absent', () => {
    expect(
      labelsFrom([
        ['b', '1'],
        ['a', 'x'],
        ['b', '2'],
        ['c', ''],
      ]),
    ).toEqual(['a', 'x', 'b', '2'])
    expect(
      labelsFrom([
        ['b', '1'],
        ['b', ''],
      ]),
    ).toEqual([])
  })

  test('are sorted by their bytes, not by UTF-16 units', () => {
    expect(compareBytes('\u{ffff}', '\u{10000}')).toBeLessThan(0)
    fc.assert(
      fc.property(text, text, (a, b) => {
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b))
        expect(Math.sign(compareBytes(a, b))).toBe(bytes)
      }),
    )
  })

  test('setting a label keeps the order and agrees with building anew', () => {
    fc.assert(
      fc.property(anyLabels, text, text, (labels, name, value) => {
        const changed = withLabel(labels, name, value)
        expect(changed).toEqual(labelsFrom([...Object.entries(labelsToRecord(labels)), [name, value]]))
        expect(labelValue(changed, name)).toBe(value)
      }),
    )
  })

  test('keeping some and dropping the same are complements', () => {
    const labels = labelsFrom([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ])
    expect(keepLabels(labels, new Set(['a', 'c', 'x']))).toEqual(['a', '1', 'c', '3'])
    expect(withoutLabels(labels, new Set(['a', 'c', 'x']))).toEqual(['b', '2'])
  })

  test('keys are equal for equal labels only', () => {
    fc.assert(
      fc.property(anyLabels, anyLabels, (a, b) => {
        expect(labelsKey(a) === labelsKey(b)).toBe(compareLabels(a, b) === 0)
      }),
    )
    expect(labelsKey(['a', '1:b'])).not.toBe(labelsKey(['a1', ':b']))
  })

  test('become an object in which a label may be named like anything', () => {
    const record = labelsToRecord(labelsFrom([['__proto__', 'x']]))
    expect(JSON.stringify(record)).toBe('{"__proto__":"x"}')
  })

  test('are printed as Prometheus prints a series', () => {
    const print = (record: Record<string, string>): string => labelsText(labelsFrom(Object.entries(record)))
    expect(print({})).toBe('{}')
    expect(print({ __name__: 'up' })).toBe('up')
    expect(print({ __name__: 'up', job: 'a"b\\c\n', instance: 'ü' })).toBe(
      'up{instance="ü", job="a\\"b\\\\c\\n"}',
    )
    expect(print({ a: 'b' })).toBe('{a="b"}')
    expect(print({ __name__: 'http.requests', 'service.name': 'x' })).toBe(
      '{"http.requests", "service.name"="x"}',
    )
  })

  test('are quoted as Go quotes', () => {
    expect(quoteText('a b\t\x01\u00ad\u00a0\u{1f600}\u{e0001}')).toBe(
      '"a b\\t\\x01\\u00ad\\u00a0\u{1f600}\\U000e0001"',
    )
  })
})
