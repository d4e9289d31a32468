import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rulesCommand } from '../rules/cli/rules-command.ts'

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
const SHARED = resolve(import.meta.dirname, '../../shared')
const PACKS = resolve(import.meta.dirname, '../rules/packs')

/** Both verdicts on a file: exit codes of `rules check` or `rules test` and of promtool. */
async function verdicts(
  kind: 'check' | 'test',
  file: string,
): Promise<{ ours: number; promtool: number | null }> {
  const output: string[] = []
  const write = (text: string) => void output.push(text)
  const ours = await rulesCommand([kind, file], { stdout: write, stderr: write })
  const promtool = spawnSync('promtool', [kind, 'rules', file], { encoding: 'utf8', timeout: 60_000 }).status
  return { ours, promtool }
}

/** Groups of one rule, as files. Those that promtool of Debian is too old for are not among them. */
const FILES: readonly (readonly [title: string, verdict: 0 | 1, yaml: string])[] = [
  ['an alert', 0, rule('alert: A', 'expr: up == 0', 'for: 5m')],
  ['an expression that is a number', 0, rule('alert: A', 'expr: 1')],
  ['labels that are numbers and booleans', 0, rule('alert: A', 'expr: up', 'labels: {a: 1, b: true}')],
  ['a recorded series', 0, rule('record: a:b', 'expr: sum(up)', 'labels: {c: d}')],
  ['no expression', 1, rule('alert: A')],
  ['an expression that ends early', 1, rule('alert: A', 'expr: sum(up')],
  ['a type that does not fit', 1, rule('alert: A', 'expr: rate(up)')],
  ['record and alert', 1, rule('alert: A', 'record: a', 'expr: up')],
  ['neither record nor alert', 1, rule('expr: up')],
  ['for in a recording rule', 1, rule('record: a', 'expr: up', 'for: 1m')],
  ['annotations in a recording rule', 1, rule('record: a', 'expr: up', 'annotations: {a: b}')],
  ['keep_firing_for in a recording rule', 1, rule('record: a', 'expr: up', 'keep_firing_for: 1m')],
  ['braces in a recorded name', 1, rule("record: 'a{b}'", 'expr: up')],
  ['a duration without unit', 1, rule('alert: A', 'expr: up', 'for: 5')],
  ['units in the wrong order', 1, rule('alert: A', 'expr: up', 'for: 5m1h')],
  ['a label called __name__', 1, rule('alert: A', 'expr: up', 'labels: {__name__: b}')],
  ['an unknown field', 1, rule('alert: A', 'expr: up', 'severity: page')],
  ['a field twice', 1, rule('alert: A', 'expr: up', 'expr: up')],
  ['a template', 0, template('{{ range query "up" }}{{ . | value | humanize }}{{ end }}')],
  ['a template with an unknown variable', 1, template('{{ $label.a }}')],
  ['a template with an unknown function', 1, template('{{ $value | shorten }}')],
  ['a template that does not end', 1, template('{{ if $value }}a')],
  [
    'a template with a variable of its own',
    0,
    template('{{ $x := $value }}{{ if gt $x 1.0 }}{{ $x }}{{ end }}'),
  ],
  ['a group without a name', 1, 'groups: [{rules: []}]'],
  ['a group twice', 1, 'groups: [{name: a}, {name: a}]'],
  ['the same rule twice', 0, 'groups: [{name: a, rules: [{record: a, expr: up}, {record: a, expr: up}]}]'],
  ['a bad interval', 1, 'groups: [{name: a, interval: often}]'],
  ['a list', 1, '- name: a'],
  ['no YAML', 1, 'groups: ['],
]

function rule(...lines: readonly string[]): string {
  return `groups:\n- name: g\n  rules:\n  - ${lines.join('\n    ')}\n`
}

function template(text: string): string {
  return rule('alert: A', 'expr: up', `annotations: {summary: '${text}'}`)
}

describe.skipIf(!hasPromtool)('rules check and rules test judge as promtool does', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'meshwatch-promtool-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  test.each(FILES)('%s', async (_title, verdict, yaml) => {
    const file = join(directory, 'rules.yaml')
    await writeFile(file, yaml)
    expect(await verdicts('check', file)).toEqual({ ours: verdict, promtool: verdict })
  })

  test('on the pack and its tests', async () => {
    expect(await verdicts('check', join(PACKS, 'mesh.yaml'))).toEqual({ ours: 0, promtool: 0 })
    expect(await verdicts('test', join(PACKS, 'mesh.test.yaml'))).toEqual({ ours: 0, promtool: 0 })
  })

  test('on a test of the pack that must fail', async () => {
    const file = join(directory, 'wrong.test.yaml')
    const wrong = `rule_files: ['${PACKS}/mesh.yaml']
tests:
- interval: 1m
  input_series: [{series: 'envoy_cluster_lb_healthy_panic{cluster_name="c"}', values: '0+9x20'}]
  alert_rule_test: [{alertname: MeshPanicMode, eval_time: 15m, exp_alerts: []}]
`
    await writeFile(file, wrong)
    expect(await verdicts('test', file)).toEqual({ ours: 1, promtool: 1 })
  })

  test('without arguments, as with wrong ones, the exit code is 2', async () => {
    const io = { stdout: () => {}, stderr: () => {} }
    const codes = [[], ['check'], ['test'], ['check', '--no-such', 'x'], ['nothing', 'x']].map((args) =>
      rulesCommand(args, io),
    )
    expect(await Promise.all(codes)).toEqual([2, 2, 2, 2, 2])
    expect(await rulesCommand(['--help'], io)).toBe(0)
  })

  const examples = join(SHARED, 'prometheus-tests/promtool')
  const hasExamples = existsSync(examples)
  test
    .skipIf(!hasExamples)
    .each([
      'at-modifier.yml',
      'bad-rules-error.yml',
      'bad-rules-syntax.yml',
      'negative-offset.yml',
      'rules-bad.yml',
      'rules.yml',
      'rules_duplicates.yml',
      'rules_extrafields.yml',
    ])('on the example %s', async (name) => {
    const { ours, promtool } = await verdicts('check', join(examples, name))
    expect(ours).toBe(promtool)
  })

  // Left out: start-time-test.yml and unittest.yml, for which promtool 2.42 is too old.
  test
    .skipIf(!hasExamples)
    .each([
      'at-modifier-test.yml',
      'bad-input-series.yml',
      'bad-promql.yml',
      'bad-rules-error-test.yml',
      'bad-rules-syntax-test.yml',
      'failing.yml',
      'long-period.yml',
      'negative-offset-test.yml',
      'rules_run.yml',
      'rules_run_fuzzy.yml',
      'rules_run_no_fuzzy.yml',
    ])('on the example test %s', async (name) => {
    const { ours, promtool } = await verdicts('test', join(examples, name))
    expect(ours).toBe(promtool)
  })

  test.skipIf(!existsSync(join(SHARED, 'rules')))('on rule files as people have them', async () => {
    for (const name of ['mesh.rules.yml', 'seeds.rules.yml']) {
      expect(await verdicts('check', join(SHARED, 'rules', name))).toEqual({ ours: 0, promtool: 0 })
    }
    const io = { stdout: () => {}, stderr: () => {} }
    const resources = ['23-prometheusrule-retry-alerts.yaml', '24-prometheusrule-circuit-breaker-alerts.yaml']
    const files = resources.map((name) => join(SHARED, 'policies', name))
    expect(await rulesCommand(['check', ...files], io)).toBe(0)
  })
})
