import { describe, expect, test } from 'vitest'
import { parseExposition, parseSeriesText } from './parse-exposition.ts'

const TEXT = `# HELP http_requests_total Requests \\\\ with a\\nline break.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total {method="post", code="400",} 3
# a comment

weird{path="C:\\\\DIR\\\\}",error="a \\"b\\"\\n,{"} +Inf
minimal 12.47
	blank_before	 1e-9
nan NaN
{"utf.8 name","l.x"="y"} -.5
# TYPE summary summary
summary{quantile="0.5"} 4.5`

const OPEN = `# TYPE foo counter
# UNIT foo seconds
# HELP foo Help.
foo_total{a="b"} 17.0 1520879607.789 # {trace_id="KOO5S4vxi0o",x="#"} 0.67 1520879606
foo_created{a="b"} 1.0
foo_total 1 # {} 2
# EOF
`

describe('parseExposition', () => {
  test('reads the text format', () => {
    const { samples, metadata } = parseExposition(TEXT, false)
    expect(samples.map(({ series, value, timestampMs }) => [series, value, timestampMs])).toEqual([
      ['http_requests_total{method="post",code="200"}', 1027, 1395066363000],
      ['http_requests_total {method="post", code="400",}', 3, null],
      ['weird{path="C:\\\\DIR\\\\}",error="a \\"b\\"\\n,{"}', Number.POSITIVE_INFINITY, null],
      ['minimal', 12.47, null],
      ['blank_before', 1e-9, null],
      ['nan', Number.NaN, null],
      ['{"utf.8 name","l.x"="y"}', -0.5, null],
      ['summary{quantile="0.5"}', 4.5, null],
    ])
    expect(metadata.get('http_requests_total')).toEqual({
      type: 'counter',
      help: 'Requests \\ with a\nline break.',
      unit: '',
    })
  })

  test('reads OpenMetrics', () => {
    const { samples, metadata } = parseExposition(OPEN, true)
    expect(metadata.get('foo')).toEqual({ type: 'counter', help: 'Help.', unit: 'seconds' })
    expect(samples).toMatchObject([
      {
        series: 'foo_total{a="b"}',
        value: 17,
        timestampMs: 1520879607789,
        exemplars: [
          {
            labels: [
              ['trace_id', 'KOO5S4vxi0o'],
              ['x', '#'],
            ],
            value: 0.67,
            timestampMs: 1520879606000,
          },
        ],
      },
      { series: 'foo_created{a="b"}', value: 1, timestampMs: null, exemplars: [] },
      {
        series: 'foo_total',
        value: 1,
        timestampMs: null,
        exemplars: [{ labels: [], value: 2, timestampMs: null }],
      },
    ])
  })

  test.each([
    ['a 1\nb', false, '"" is not a number in line 2'],
    ['a{b="c" 1', false, 'without a closing brace in line 1'],
    ['a one', false, '"one" is not a number'],
    ['a 1 2 3', false, '"3" after the time'],
    ['a 1 1.5', false, '"1.5" is not a time'],
    ['a 1\n', true, 'ends without # EOF'],
    ['a 1\n\n# EOF', true, 'a blank line in line 2'],
    ['# EOF\na 1', true, 'something after # EOF in line 2'],
    ['a 0x1f', false, 'is not a number'],
  ])('refuses %j', (text, isOpenMetrics, message) => {
    expect(() => parseExposition(text, isOpenMetrics)).toThrow(message)
  })
})

describe('parseSeriesText', () => {
  test.each([
    ['a', [['__name__', 'a']]],
    ['a{}', [['__name__', 'a']]],
    [
      'a {b="c", d = "e",}',
      [
        ['__name__', 'a'],
        ['b', 'c'],
        ['d', 'e'],
      ],
    ],
    [
      'a{b="\\\\\\"\\n}"}',
      [
        ['__name__', 'a'],
        ['b', '\\"\n}'],
      ],
    ],
    [
      '{"a.b",c="d"}',
      [
        ['__name__', 'a.b'],
        ['c', 'd'],
      ],
    ],
    [
      '{"a.b","c.d"="e"}',
      [
        ['__name__', 'a.b'],
        ['c.d', 'e'],
      ],
    ],
  ])('%s', (text, labels) => expect(parseSeriesText(text)).toEqual(labels))

  test.each([
    ['a{b}', 'the label b has no value'],
    ['a{b="c",b="d"}', 'twice'],
    ['a{b="c" d="e"}', 'cannot be read'],
    ['a-b{}', 'is not the name of a metric'],
    ['a{1="c"}', 'cannot be read'],
  ])('refuses %s', (text, message) => expect(() => parseSeriesText(text)).toThrow(message))
})
