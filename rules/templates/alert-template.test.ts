import { describe, expect, test } from 'vitest'
import { labelsFrom } from '../../model/labels.ts'
import { expandAlertTemplate, templateProblem } from './alert-template.ts'

const DATA = {
  labels: labelsFrom([
    ['__name__', 'up'],
    ['instance', 'a:80'],
  ]),
  value: 0.25,
  externalLabels: labelsFrom([['cluster', 'eu']]),
  externalUrl: 'http://mesh.test/sub',
}

function expand(text: string, value = DATA.value): Promise<string> {
  return expandAlertTemplate(
    text,
    { ...DATA, value },
    {
      alertName: 'Down',
      nowMs: 1_435_065_584_128,
      query: async (expr) => {
        if (expr === 'bad') throw new Error('no such thing')
        return [
          { labels: labelsFrom([['instance', 'b']]), value: 21 },
          { labels: labelsFrom([['instance', 'a']]), value: 11 },
        ]
      },
    },
  )
}

describe('expandAlertTemplate', () => {
  test.each([
    ['plain text with } and {', 'plain text with } and {'],
    ['{{ $labels.instance }} of {{ .Labels.instance }}', 'a:80 of a:80'],
    ['{{ $labels.__name__ }}', 'up'],
    ['{{ $labels.nothing }}', ''],
    ['{{ $value }} {{ .Value }} {{ $value | humanizePercentage }}', '0.25 0.25 25%'],
    [
      '{{ $externalLabels.cluster }} {{ $externalURL }} {{ externalURL }} {{ pathPrefix }}',
      'eu http://mesh.test/sub http://mesh.test/sub /sub',
    ],
    ['{{ query "up" | first | value }}', '21'],
    ['{{ with query "up" }}{{ . | first | label "instance" }}{{ end }}', 'b'],
    [
      '{{ range query "up" | sortByLabel "instance" }}{{ .Labels.instance }}={{ .Value }} {{ end }}',
      'a=11 b=21 ',
    ],
    ['{{ printf "rate(up{instance=%q}[5m])" $labels.instance | query | first | value }}', '21'],
    ['{{ (query "a" | first).Value }}{{ (query "b" | first).Value }}', '2121'],
    ['{{ query "bad" }}', '<error expanding template: error executing template __alert_Down: no such thing>'],
  ])('%s', async (text, expected) => {
    expect(await expand(text)).toBe(expected)
  })

  test.each([
    ['{{ $value | nothing }}', 'function "nothing" not defined'],
    ['{{ if }}', 'missing value for'],
    ['{{ .Nothing }}', 'Nothing'],
    ['{{ index "x" 10 }}', '__alert_Down'],
  ])('an error becomes the text: %s', async (text, part) => {
    const result = await expand(text)
    expect(result).toMatch(/^<error expanding template: error executing template __alert_Down: .+>$/s)
    expect(result).toContain(part)
  })

  test('numbers are written as Go writes them', async () => {
    expect(await expand('{{ $value }}', 1e6)).toBe('1e+06')
    expect(await expand('{{ $value }}', Number.NaN)).toBe('NaN')
  })

  test('templates that ask for ever are given up', async () => {
    const asking = Array.from({ length: 60 }, (_, index) => `{{ query "q${index}" }}`).join('')
    expect(await expand(asking)).toContain('<error expanding template')
  })
})

test('templateProblem says what is wrong, or nothing', () => {
  expect(templateProblem('Down', '{{ $labels.a }}')).toBeNull()
  expect(templateProblem('Down', '{{ $label.a }}')).toBe(
    'template: __alert_Down:1: undefined variable "$label"',
  )
})
