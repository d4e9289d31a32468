import { describe, expect, test } from 'vitest'
import { labelsFrom, labelsText } from '../../model/labels.ts'
import { createRelabel } from './relabel.ts'
import { relabelRule } from './relabel-rule.ts'

const LABELS = labelsFrom(Object.entries({ __name__: 'm', a: 'foo', b: 'bar', c: 'baz', d: 'foo' }))

function relabelled(...rules: object[]): string | null {
  const labels = createRelabel(rules.map((rule) => relabelRule.parse(rule)))(LABELS)
  return labels === null ? null : labelsText(labels)
}

describe('relabelling', () => {
  test.each<[string, object, string | null]>([
    ['keep', { sourceLabels: ['a'], regex: 'fo+', action: 'keep' }, 'm{a="foo", b="bar", c="baz", d="foo"}'],
    ['keep: the whole value', { sourceLabels: ['a'], regex: 'fo', action: 'keep' }, null],
    ['drop', { sourceLabels: ['a', 'b'], regex: 'foo;bar', action: 'drop' }, null],
    [
      'drop, other separator',
      { sourceLabels: ['a', 'b'], separator: '/', regex: 'foo/bar', action: 'DROP' },
      null,
    ],
    [
      'drop, no match',
      { sourceLabels: ['none'], regex: '.+', action: 'drop' },
      'm{a="foo", b="bar", c="baz", d="foo"}',
    ],
    ['replace', { sourceLabels: ['a'], targetLabel: 'x' }, 'm{a="foo", b="bar", c="baz", d="foo", x="foo"}'],
    [
      'replace with groups',
      {
        sourceLabels: ['a', 'b'],
        regex: '(f)(.*);(?P<rest>.*)',
        targetLabel: 'a',
        replacement: `\${2}-$rest-$1`,
      },
      'm{a="oo-bar-f", b="bar", c="baz", d="foo"}',
    ],
    ['replace removes', { targetLabel: 'a', replacement: '' }, 'm{b="bar", c="baz", d="foo"}'],
    [
      'replace without a match',
      { sourceLabels: ['a'], regex: 'x', targetLabel: 'b' },
      'm{a="foo", b="bar", c="baz", d="foo"}',
    ],
    [
      'replace, target from a group',
      { sourceLabels: ['a'], regex: '(.*)', targetLabel: 'l_$1', replacement: '1' },
      'm{a="foo", b="bar", c="baz", d="foo", l_foo="1"}',
    ],
    [
      'replace, target is no name',
      { sourceLabels: ['a'], targetLabel: '$9', replacement: 'y' },
      'm{a="foo", b="bar", c="baz", d="foo"}',
    ],
    ['labeldrop', { regex: '[ab]', action: 'labeldrop' }, 'm{c="baz", d="foo"}'],
    ['labelkeep', { regex: '__name__|a', action: 'labelkeep' }, 'm{a="foo"}'],
    [
      'labelmap',
      { regex: '(a)', replacement: 'mapped_$1', action: 'labelmap' },
      'm{a="foo", b="bar", c="baz", d="foo", mapped_a="foo"}',
    ],
    [
      'keepequal',
      { sourceLabels: ['d'], targetLabel: 'a', action: 'keepequal' },
      'm{a="foo", b="bar", c="baz", d="foo"}',
    ],
    ['keepequal, not equal', { sourceLabels: ['b'], targetLabel: 'a', action: 'keepequal' }, null],
    ['dropequal', { sourceLabels: ['d'], targetLabel: 'a', action: 'dropequal' }, null],
    [
      'uppercase',
      { sourceLabels: ['a'], targetLabel: 'a', action: 'uppercase' },
      'm{a="FOO", b="bar", c="baz", d="foo"}',
    ],
    // MD5("foo") ends in edef654fccc4a4d8, which is 696 modulo 1000.
    [
      'hashmod',
      { sourceLabels: ['a'], targetLabel: 'h', modulus: 1000, action: 'hashmod' },
      'm{a="foo", b="bar", c="baz", d="foo", h="696"}',
    ],
  ])('%s', (_, rule, expected) => expect(relabelled(rule)).toBe(expected))

  test('rules see what those before them made', () => {
    const copy = { sourceLabels: ['a'], targetLabel: 'x' }
    expect(relabelled(copy, { sourceLabels: ['x'], regex: 'foo', action: 'drop' })).toBeNull()
  })

  test.each([
    [{ regex: '(', targetLabel: 'a' }, /RE2 syntax/],
    [{ action: 'replace' }, /needs one/],
    [{ action: 'hashmod', targetLabel: 'a' }, /at least 1/],
    [{ targetLabel: 'a-b' }, /name of a label/],
    [{ targetLabel: '1a' }, /name of a label/],
    [{ targetLabel: '$' }, /name of a label/],
    [{ targetLabel: `${'$a'.repeat(50)}-` }, /name of a label/],
    [{ action: 'explode' }, /expected one of/],
    [{ sourceLabel: ['a'] }, /Unrecognized key/],
  ])('refuses %j', (rule, message) => {
    expect(() => relabelRule.parse(rule)).toThrow(message)
  })
})
