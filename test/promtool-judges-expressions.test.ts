import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseExpression } from '../query/promql/parse-expression.ts'
import { errorMessage } from '../runtime/errors.ts'
import { seededRandom } from './support/seeded-random.ts'

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

/** Words of the language as every version of promtool knows it. */
const PIECES = [
  ...[
    'foo',
    'foo',
    'foo',
    'bar:baz',
    'sum',
    'topk',
    'count_values',
    'quantile',
    'and',
    'or',
    'unless',
    'offset',
    'on',
  ],
  ...['ignoring', 'group_left', 'group_right', 'by', 'without', 'bool', 'atan2', 'rate', 'abs', 'time'],
  ...[
    '(',
    ')',
    '(',
    ')',
    '(',
    ')',
    '{',
    '}',
    '{a="b"}',
    '{a=~"c|d"}',
    '[5m]',
    '[5m:1m]',
    '[1h:]',
    '[',
    ']',
    ':',
    ',',
  ],
  ...[
    '+',
    '-',
    '*',
    '/',
    '%',
    '^',
    '==',
    '!=',
    '<',
    '>=',
    '=',
    '=~',
    '!',
    '@',
    '1',
    '2.5',
    '0x1f',
    '1e3',
    '5m',
  ],
  ...[
    '"s"',
    "'t'",
    '`u`',
    '"',
    '#',
    '\n',
    'sum by (a)',
    'offset 5m',
    'offset -5m',
    '@ 100',
    '@ start()',
    'rate(',
    '(a)',
  ],
]
/**
 * What an older promtool says where Prometheus 3 knows more or words it otherwise: durations are numbers and may be computed, names may be
 * quoted, `@` has a name, more of a broken
 * number is shown.
 */
const OLDER =
  /unexpected duration|unexpected (?:metric identifier|string) .* in (?:grouping opts|label matching)|<Item \d+>|expected duration$|missing unit character in duration|bad duration syntax|invalid syntax|bad number/

/** Shapes that are good or nearly so, for the words to be put into. */
const SHAPES = [
  '%',
  'sum(%)',
  '% + %',
  'foo % bar',
  'rate(foo[5m] %)',
  'foo{a="b"} %',
  '% on (a) foo',
  'topk(%, foo)',
  '(%)[5m:]',
  'foo == bool %',
  'sum by (%) (foo)',
  'foo{%}',
  'abs(%)',
]

describe.skipIf(!hasPromtool)('promtool and we', () => {
  test('say the same about expressions that go wrong', () => {
    const expressions = [
      ...[
        '1+',
        '.',
        '1a',
        '0deadbeef',
        '*1',
        '(1))',
        '((1)',
        '(',
        '1 and 1',
        '1 == 1',
        '1 + bool 2',
        '1 !~ 1',
        '1 =~ 1',
        '1 = 1',
      ],
      ...[
        '-"s"',
        '-a[5m]',
        '"a" + 1',
        'a + b[1m]',
        'foo bar',
        'foo and\n  bar baz',
        '{x="ü"} bar',
        '1 + on(bar) foo',
      ],
      ...[
        'foo or on(bar) group_left(baz) bar',
        'foo + on(bar) group_left(bar) baz',
        'foo + group_left(baz) bar',
      ],
      ...[
        'a - on(b) ignoring(c) d',
        'a + on b',
        'a + on(1) b',
        'foo{',
        'foo{a}',
        'foo{a=b}',
        'foo{a!b}',
        'foo{1}',
        'foo{,}',
      ],
      ...[
        'foo{a="b" c="d"}',
        'foo{{',
        '{}',
        '{x=~".*"}',
        '{x!="y"}',
        'foo{__name__="bar"}',
        'foo[30m5h]',
        'foo[0m]',
        'foo[5m:0s]',
      ],
      ...[
        'foo[5m',
        'foo[5m:5m',
        'foo[5m:5m:5m]',
        'foo]',
        'foo[5m][5m]',
        'foo offset 1m [5m]',
        'foo @ 1 [5m]',
        'sum(a)[5m]',
      ],
      ...[
        'a[5m][5m:]',
        '1 offset 1d',
        'foo offset 1s offset 2s',
        'foo @ bar',
        'foo @ start',
        'foo @ 1 @ 2',
        'foo @ Inf',
        'foo @ 1e20',
      ],
      ...[
        '(a) @ 1',
        'sum some_metric by (test)',
        'sum (some_metric) by test',
        'sum without(==)(some_metric)',
        'sum by (a foo',
      ],
      ...[
        'sum() by (test)',
        'topk(some_metric)',
        'topk(some_metric,)',
        'topk("a", some_metric)',
        'count_values(5, some_metric)',
      ],
      ...[
        'sum(1)',
        'sum(1 +)',
        'sum (a) without (test) by (test)',
        'floor()',
        'hour(a, b)',
        'label_join(a)',
        'rate(foo)',
      ],
      ...[
        'label_join(a, "b", "c", 1)',
        'unknown_fn(x)',
        'Rate(x[1m])',
        '"abc',
        '"a\nb"',
        '`abc',
        String.raw`"\q"`,
        String.raw`"\x4`,
      ],
      ...[
        String.raw`"\x4g"`,
        String.raw`"\ud800"`,
        String.raw`"\777"`,
        'ü',
        '1e999',
        'foo{x="y"} "a_long_value"',
        'a{b="c"}{d="e"}',
      ],
      ...[
        'min(a) max(b)',
        'sum(a,b)',
        'sum(a)(b)',
        'a\n\n  ^^ b',
        '\u{1f600}',
        'a @',
        'sum by',
        'sum by (a) b',
        'a > 1 > "b"',
      ],
    ]
    const verdicts = askPromtool(expressions)
    expect(expressions.map(ourVerdict)).toEqual(verdicts)
    expect(verdicts).not.toContain('')
  })

  test('accept and refuse the same, in the same words, whatever it is', () => {
    const random = seededRandom(11)
    const expressions = Array.from({ length: 3000 }, () =>
      random.pick(SHAPES).replaceAll('%', () => {
        const pieces = Array.from({ length: 1 + random.below(4) }, () => random.pick(PIECES))
        return pieces.join(random.below(5) === 0 ? '' : ' ')
      }),
    )
    const theirs = askPromtool(expressions)
    const compared = expressions.flatMap((text, index) => {
      const [mine, their = ''] = [ourVerdict(text), theirs[index]]
      return OLDER.test(their) ? [] : [{ text, mine, their }]
    })
    expect(compared.filter(({ mine, their }) => (mine === '') !== (their === ''))).toEqual([])
    expect(compared.filter(({ their }) => their === '').length).toBeGreaterThan(100)
    // Versions differ in how they word a few of the rarest errors.
    const others = compared.filter(({ mine, their }) => mine !== their)
    expect(others.length / compared.length).toBeLessThan(0.02)
  })
})

/** The message about an expression; '' when it is good. */
function ourVerdict(text: string): string {
  try {
    parseExpression(text, { allowExperimental: false })
    return ''
  } catch (thrown) {
    return errorMessage(thrown)
  }
}

function askPromtool(expressions: readonly string[]): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'promtool-expressions-'))
  try {
    const file = join(dir, 'rules.yml')
    const groups = expressions.map((expr, index) => ({ name: `g${index}`, rules: [{ record: 'x', expr }] }))
    writeFileSync(file, JSON.stringify({ groups }))
    const { stdout, stderr } = spawnSync('promtool', ['check', 'rules', '--lint=none', file], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    const verdicts = expressions.map(() => '')
    const pattern = /group "g(\d+)", rule 1, "x": could not parse expression: (.*)/g
    for (const [, index, message = ''] of `${stderr}${stdout}`.matchAll(pattern)) {
      verdicts[Number(index)] = message
    }
    return verdicts
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
