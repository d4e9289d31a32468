import { describe, expect, test } from 'vitest'
import { parseTemplate } from './parse-template.ts'
import { renderTemplate } from './render-template.ts'
import { standardFunctions } from './standard-functions.ts'
import type { TemplateFunction, Value } from './value.ts'

const sample = (labels: Record<string, string>, value: number): Value =>
  new Map<string, Value>([
    ['Labels', new Map(Object.entries(labels))],
    ['Value', value],
  ])

const functions: ReadonlyMap<string, TemplateFunction> = new Map([
  ...standardFunctions({ nowMs: Date.UTC(2026, 10, 20, 3, 4, 5), externalUrl: 'https://mesh.example/base' }),
  [
    'query',
    () => [sample({ __name__: 'm', instance: 'b' }, 21), sample({ __name__: 'm', instance: 'a' }, 11)],
  ],
])

const data: Value = new Map<string, Value>([
  [
    'Labels',
    new Map([
      ['service', 'checkout'],
      ['z', 'last'],
      ['evil', '<script>"x"</script>'],
    ]),
  ],
  ['Value', 0.0712],
  ['List', ['a', 'b', 'c']],
  ['Empty', []],
  ['Time', { kind: 'time', ms: Date.UTC(2015, 5, 23, 13, 19, 44, 128) }],
  ['Named', { kind: 'struct', typeName: 'L', content: ['x', 'y'], fields: new Map([['Last', () => 'y']]) }],
  [
    'Pairs',
    {
      kind: 'struct',
      typeName: 'KV',
      content: new Map([['a', '1']]),
      fields: new Map([['Names', () => ['a']]]),
    },
  ],
  ['Link', 'javascript:alert(1)'],
  [
    'Alerts',
    {
      kind: 'struct',
      typeName: 'template.Alerts',
      fields: new Map<string, Value>([
        ['Firing', () => ['f1', 'f2']],
        ['Add', (a, b) => Number(a) + Number(b)],
      ]),
    },
  ],
])
const variables = new Map<string, Value>([
  ['$labels', (data as Map<string, Value>).get('Labels') as Value],
  ['$value', 1e6],
])

function render(text: string, mode: 'text' | 'html' = 'text'): string {
  const template = parseTemplate(text, {
    name: 't',
    functions: new Set(functions.keys()),
    variables: [...variables.keys()],
  })
  return renderTemplate(template, { data, functions, mode, variables })
}

describe('text templates render as Go does', () => {
  test.each([
    ['plain text', 'plain text'],
    ['{{ "a" }}{{ `b\\n` }}{{ \'c\' }}', 'ab\\n99'],
    ['{{ 1 }} {{ -2 }} {{ 1.5 }} {{ 1e6 }} {{ 0x10 }} {{ 1_000 }}', '1 -2 1.5 1e+06 16 1000'],
    ['{{ $value }} {{ .Value }}', '1e+06 0.0712'],
    ['{{ $labels.service }}{{ $labels.missing }}', 'checkout'],
    ['{{ .Labels.service | toUpper | printf "%s!" }}', 'CHECKOUT!'],
    ['a {{- " b " -}} c', 'a b c'],
    ['a {{/* note */}} b{{- /* trimmed */ -}}  c', 'a  bc'],
    ['{{ if .Empty }}yes{{ else if .List }}list{{ else }}no{{ end }}', 'list'],
    ['{{ if and .List (not .Empty) }}both{{ end }}', 'both'],
    ['{{ or "" 0 "third" }}', 'third'],
    ['{{ with .Labels.service }}{{ . }}{{ else }}none{{ end }}', 'checkout'],
    ['{{ with .Empty }}x{{ else with .List }}{{ len . }}{{ end }}', '3'],
    ['{{ range .List }}{{ . }},{{ end }}', 'a,b,c,'],
    ['{{ range $i, $e := .List }}{{ $i }}={{ $e }} {{ end }}', '0=a 1=b 2=c '],
    ['{{ range .Empty }}x{{ else }}none{{ end }}', 'none'],
    ['{{ range $k, $v := .Labels }}{{ $k }} {{ end }}', 'evil service z '],
    [
      '{{ range .List }}{{ if eq . "b" }}{{ continue }}{{ end }}{{ . }}{{ if eq . "c" }}{{ break }}{{ end }}{{ end }}',
      'ac',
    ],
    ['{{ $x := 1 }}{{ range .List }}{{ $x = len $.List }}{{ end }}{{ $x }}', '3'],
    ['{{ $x := "o" }}{{ with .List }}{{ $x := "i" }}{{ $x }}{{ end }}{{ $x }}', 'io'],
    ['{{ define "n" }}<{{ . }}>{{ end }}{{ template "n" .Labels.z }}', '<last>'],
    ['{{ block "b" .List }}{{ index . 1 }}{{ end }}', 'b'],
    ['{{ .Alerts.Firing }} {{ len .Alerts.Firing }} {{ .Alerts.Add 1 2 }}', '[f1 f2] 2 3'],
    ['{{ range .Alerts.Firing }}{{ . }}{{ end }}', 'f1f2'],
    ['{{ range .Named }}{{ . }}{{ end }}{{ len .Named }}{{ .Named.Last }}{{ if .Named }}!{{ end }}', 'xy2y!'],
    [
      '{{ .Pairs.a }}{{ .Pairs.Names }}{{ range $k, $v := .Pairs }}{{ $k }}{{ $v }}{{ end }}{{ index .Pairs "a" }}',
      '1[a]a11',
    ],
    ['{{ (index .List 0) }}{{ slice "hello" 1 3 }}', 'ael'],
    [
      '{{ eq 1 1.0 }} {{ eq "a" "b" "a" }} {{ ne 1 2 }} {{ lt 1 2 }} {{ ge "b" "a" }}',
      'true true true true true',
    ],
    ['{{ print 1 2 "x" 3 }}|{{ println "a" 1 }}', '1 2x3|a 1\n'],
    [
      '{{ printf "%d %5.2f %-4s| %q %v %t %x %%" 7 3.14159 "ab" "q" .List true 255 }}',
      '7  3.14 ab  | "q" [a b c] true ff %',
    ],
    ['{{ printf "%s" 1 }} {{ printf "%d" "x" }} {{ printf "%d" }}', '%!s(int=1) %!d(string=x) %!d(MISSING)'],
    ['{{ html "<a>" }} {{ urlquery "a b&c" }} {{ js "it\'s" }}', "&lt;a&gt; a+b%26c it\\'s"],
    [
      '{{ .Time.Format "2006-01-02 15:04:05.000 MST" }} {{ .Time.Unix }}',
      '2015-06-23 13:19:44.128 UTC 1435065584',
    ],
    ['{{ .Labels }}', 'map[evil:<script>"x"</script> service:checkout z:last]'],
    ['{{ .Time }}', '2015-06-23 13:19:44.128 +0000 UTC'],
    ['{{ $ | len }}', '9'],
  ])('%s', (text, expected) => {
    expect(render(text)).toBe(expected)
  })
})

describe('the functions of Prometheus', () => {
  test.each([
    ['humanize', '0', '0'],
    ['humanize', '1234567.0', '1.235M'],
    ['humanize', '0.0012', '1.2m'],
    ['humanize', '-1e24', '-1Y'],
    ['humanize', '1e-24', '1y'],
    ['humanize', '"123.45"', '123.5'],
    ['humanize1024', '0', '0'],
    ['humanize1024', '1048576', '1Mi'],
    ['humanize1024', '1025', '1.001ki'],
    ['humanizeDuration', '0', '0s'],
    ['humanizeDuration', '1', '1s'],
    ['humanizeDuration', '60', '1m 0s'],
    ['humanizeDuration', '3600', '1h 0m 0s'],
    ['humanizeDuration', '86400', '1d 0h 0m 0s'],
    ['humanizeDuration', '-183845', '-2d 3h 4m 5s'],
    ['humanizeDuration', '.1', '100ms'],
    ['humanizeDuration', '.0001', '100us'],
    ['humanizeDuration', '1.2345', '1.234s'],
    ['humanizeDuration', '899.99', '14m 59s'],
    ['humanizePercentage', '-0.22222', '-22.22%'],
    ['humanizePercentage', '0.1234567', '12.35%'],
    ['humanizePercentage', '1.23456', '123.5%'],
    ['humanizeTimestamp', '1435065584.128', '2015-06-23 13:19:44.128 +0000 UTC'],
    ['humanize', '"NaN"', 'NaN'],
    ['humanize', '"+Inf"', '+Inf'],
  ])('%s %s', (name, argument, expected) => {
    expect(render(`{{ ${name} ${argument} }}`)).toBe(expected)
  })

  test.each([
    ['{{ query "m" | first | value }}', '21'],
    ['{{ query "m" | sortByLabel "instance" | first | label "instance" }}', 'a'],
    ['{{ range query "m" }}{{ .Labels.instance }}={{ .Value }};{{ end }}', 'b=21;a=11;'],
    [
      '{{ reReplaceAll "(a+)b" "x$1" "caabd" }}{{ reReplaceAll "(?P<n>b)" "<$' + '{n}>$$" "abc" }}',
      'cxaada<b>$c',
    ],
    ['{{ match "^a.c$" "abc" }}', 'true'],
    ['{{ title "hello big world" }}', 'Hello Big World'],
    [
      '{{ stripPort "host:80" }} {{ stripPort "[::1]:80" }} {{ stripDomain "a.b.c:80" }} {{ stripDomain "10.0.0.1" }}',
      'host ::1 a:80 10.0.0.1',
    ],
    ['{{ join "," .List }}', 'a,b,c'],
    ['{{ externalURL }}{{ pathPrefix }}', 'https://mesh.example/base/base'],
    ['{{ (toTime 0).Format "2006" }}{{ now.Year }}', '19702026'],
    ['{{ graphLink "up == 1" }}', '/graph?g0.expr=up+%3D%3D+1&g0.tab=0'],
    ['{{ with args 1 "two" }}{{ .arg0 }}{{ .arg1 }}{{ end }}', '1two'],
  ])('%s', (text, expected) => {
    expect(render(text)).toBe(expected)
  })
})

describe('HTML templates', () => {
  test.each([
    ['<b>{{ .Labels.evil }}</b>', '<b>&lt;script&gt;&#34;x&#34;&lt;/script&gt;</b>'],
    ['<a href="{{ .Link }}">x</a>', '<a href="#blocked">x</a>'],
    ['<a href="{{ " java\\tscript:x" }}">x</a>', '<a href="#blocked">x</a>'],
    ['<a href="{{ "https://x/?a=1&b=2" }}">x</a>', '<a href="https://x/?a=1&amp;b=2">x</a>'],
    ['<a href="https://x/{{ .Link }}">x</a>', '<a href="https://x/javascript:alert(1)">x</a>'],
    ['<p title="{{ .Labels.evil }}">', '<p title="&lt;script&gt;&#34;x&#34;&lt;/script&gt;">'],
    ['{{ safeHtml "<i>" }}', '<i>'],
  ])('%s', (text, expected) => {
    expect(render(text, 'html')).toBe(expected)
  })

  test.each([
    '<p onclick="{{ .Link }}">',
    '<script>{{ .Link }}</script>',
    `<SCRIPT>${' '.repeat(10_000)}{{ .Link }}</script>`,
    '<style>{{ .Link }}</style>',
    '<p {{ .Link }}>',
    '<a href={{ .Link }}>',
  ])('refuse a value in %s', (text) => {
    expect(() => render(text, 'html')).toThrow('a value cannot stand inside')
  })
})

describe('errors name the line', () => {
  test.each([
    ['{{ if .x }}', 'template: t:1: unexpected EOF'],
    ['a\n{{ end }}', 'template: t:2: unexpected {{end}}'],
    ['{{ nope 1 }}', 'template: t:1: function "nope" not defined'],
    ['{{ $nope }}', 'template: t:1: undefined variable "$nope"'],
    ['{{ "abc }}', 'template: t:1: unclosed action'],
    ['{{ /* abc }}', 'template: t:1: unclosed comment'],
    ['{{ }}', 'template: t:1: missing value for command'],
    ['{{ 1 | 2 }}', 'template: t:1: non executable command'],
    ['{{ break }}', 'template: t:1: {{break}} outside {{range}}'],
    ['\n\n{{ (len .List }}', 'template: t:3: unclosed left paren'],
  ])('parsing %j', (text, message) => {
    expect(() => render(text)).toThrow(message)
  })

  test.each([
    ['{{ .Alerts.Nope }}', "template: t:1: can't evaluate field Nope in type template.Alerts"],
    ['\n{{ index .List 9 }}', 'template: t:2: error calling index: index out of range: 9'],
    ['{{ template "gone" }}', 'template: t:1: template "gone" not defined'],
    ['{{ humanize "x" }}', "template: t:1: error calling humanize: can't convert x to float"],
    ['{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}', 'templates call each other too deeply'],
    ['{{ range 100000000 }}x{{ end }}', 'it takes too many steps'],
    ['{{ lt "a" 1 }}', 'incompatible types for comparison'],
    ['{{ .Labels.constructor.constructor }}', "can't evaluate field constructor in type string"],
  ])('rendering %j', (text, message) => {
    expect(() => render(text)).toThrow(message)
  })

  test('the output is bounded', () => {
    const template = parseTemplate('{{ range 1000 }}0123456789{{ end }}', { functions: new Set() })
    const options = { data: null, functions: new Map(), mode: 'text' as const, maxOutputBytes: 100 }
    expect(() => renderTemplate(template, options)).toThrow('the output is longer than 100 bytes')
  })
})
