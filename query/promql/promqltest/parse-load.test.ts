import { describe, expect, test } from 'vitest'
import { parseLoad } from './parse-load.ts'

function offsets(...lines: string[]): unknown[] {
  return parseLoad(lines.map((text, index) => ({ line: index + 1, text }))).map(
    ({ startOffsetsMs }) => startOffsetsMs,
  )
}

describe('what a script loads', () => {
  test('is one series per line, without start times unless told', () => {
    const loaded = parseLoad([
      { line: 1, text: 'up{job="a"} 1 2' },
      { line: 2, text: 'down 3' },
    ])
    expect(loaded.map(({ labels }) => labels)).toEqual([
      ['__name__', 'up', 'job', 'a'],
      ['__name__', 'down'],
    ])
    expect(loaded.map(({ startOffsetsMs }) => startOffsetsMs)).toEqual([null, null])
  })

  test('has start times before the series they belong to', () => {
    expect(offsets('up{job="a"}@st -1m _', 'up{job="a"} 1 2', 'down 3')).toEqual([[-60_000, null], null])
  })

  test('has start times for all series after them, again and again', () => {
    expect(offsets('early 1', '@st -1m -2m', 'up 1x2', 'down@st -3m', 'down 1', 'later 1')).toEqual([
      null,
      [-60_000, -120_000, -60_000],
      [-180_000],
      [-60_000],
    ])
  })

  test.each<[string, string[]]>([
    ['line 1 of the test script: start times are not followed by their series', ['up@st -1m']],
    [
      'line 1 of the test script: start times are not followed by their series',
      ['up@st -1m', 'up@st -1m', 'up 1'],
    ],
    ['line 1 of the test script: start times are followed by another series', ['up@st -1m', 'down 1']],
    ['line 1 of the test script: 1 start times for 2 values', ['up@st -1m', 'up 1 2']],
    ['line 2 of the test script: invalid start time "soon"', ['up 1', '@st soon']],
    ['line 2 of the test script: ', ['up 1', 'up{ 1']],
  ])('is refused with %j', (message, lines) => {
    expect(() => offsets(...lines)).toThrow(message)
  })
})
