import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseTestScript } from './parse-test-script.ts'

const CORPUS = resolve(import.meta.dirname, '../../../../shared/prometheus-tests/promql')

describe('test scripts', () => {
  test('are read command by command', () => {
    const commands = parseTestScript(`
# A comment.
load 5m
  up{job="a"} 1 2
  # A comment ends a block, too.
clear
load_with_nhcb 30s
  up 1

eval instant at 50m up`)
    expect(commands.map((command) => [command.kind, command.line])).toEqual([
      ['load', 3],
      ['clear', 6],
      ['load', 7],
      ['eval', 10],
    ])
    expect(commands[2]).toMatchObject({ stepMs: 30_000, withCustomBuckets: true })
  })

  test('have blocks that an empty line ends', () => {
    const commands = parseTestScript(`load 5m
  up{job="a"} 1 2
  up{job="b"} 3x1

eval instant at 50m sum(up)
  expect ordered
  expect warn msg: not good (1:1)
  expect no_info
  {job="a"} 1

eval range from 0 to 10m step 60s up
  {} 1 _ 2

eval_fail instant at 0 up + 1
  expected_fail_regexp vector .*

eval instant 3
  3

eval instant at -10s "a"
  expect string "a\\n"

eval instant at 3m up[2m]
  expect range vector from 1m to 3m step 1m
  {} 1 2 3
`)
    expect(commands[0]).toMatchObject({
      kind: 'load',
      stepMs: 300_000,
      withCustomBuckets: false,
      series: [
        { labels: ['__name__', 'up', 'job', 'a'], values: [{ value: 1 }, { value: 2 }] },
        { labels: ['__name__', 'up', 'job', 'b'], values: [{ value: 3 }, { value: 3 }] },
      ],
    })
    expect(commands[1]).toEqual({
      kind: 'eval',
      line: 5,
      expr: 'sum(up)',
      when: { timeMs: 3_000_000 },
      isOrdered: true,
      fail: null,
      warn: [{ kind: 'text', text: 'not good (1:1)' }],
      info: [],
      isWithoutWarn: false,
      isWithoutInfo: true,
      result: {
        kind: 'series',
        range: null,
        series: [{ labels: ['job', 'a'], values: [{ kind: 'float', value: 1 }] }],
      },
    })
    expect(commands[2]).toMatchObject({ when: { startMs: 0, endMs: 600_000, stepMs: 60_000 }, expr: 'up' })
    expect(commands[3]).toMatchObject({ expr: 'up + 1', fail: { kind: 'pattern', pattern: 'vector .*' } })
    expect(commands[4]).toMatchObject({
      expr: '3',
      when: { timeMs: 0 },
      result: { kind: 'scalar', value: 3 },
    })
    expect(commands[5]).toMatchObject({ when: { timeMs: -10_000 }, result: { kind: 'string', value: 'a\n' } })
    expect(commands[6]).toMatchObject({
      result: { range: { startMs: 60_000, endMs: 180_000, stepMs: 60_000 } },
    })
  })

  test('need no empty line after a number', () => {
    const commands = parseTestScript(
      'eval instant at 0 1\n  1\neval_fail instant at 0 a\n  expected_fail_message no\nclear',
    )
    expect(commands.map(({ kind, line }) => [kind, line])).toEqual([
      ['eval', 1],
      ['eval', 3],
      ['clear', 5],
    ])
  })

  test('are read on after a command that cannot be read', () => {
    const broken: number[] = []
    const commands = parseTestScript('load 1m\n  up 1 foo\n\nplay\nclear', (_, line) => broken.push(line))
    expect(broken).toEqual([1, 4])
    expect(commands).toEqual([{ kind: 'clear', line: 5 }])
  })

  test.each([
    ['play 5m', 1],
    ['load x\n', 1],
    ['\neval instant at 1m up\n  expect what', 3],
    ['load 1m\n  up 1 foo', 2],
  ])('name the line that is wrong: %j', (text, line) => {
    expect(() => parseTestScript(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { line } }),
    )
  })

  test.skipIf(!existsSync(CORPUS))("Prometheus' own are read whole", () => {
    const evals = readdirSync(CORPUS)
      .filter((file) => file.endsWith('.test'))
      .map((file) => {
        const text = readFileSync(join(CORPUS, file), 'utf8')
        const read = parseTestScript(text).filter((command) => command.kind === 'eval').length
        expect(read, file).toBe(text.match(/^eval/gm)?.length)
        return read
      })
    expect(evals.length).toBeGreaterThan(0)
  })
})
