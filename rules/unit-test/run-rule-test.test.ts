import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { silentLogger } from '../../runtime/logger.ts'
import { runTestFile } from './run-test-file.ts'

const RULES = `groups:
- name: g
  rules:
  - {record: doubled, expr: latency * 2}
`

function testFile(expected: string): string {
  return `rule_files: [rules.yml]
tests:
- interval: 1m
  input_series:
  - series: latency{job="x"}
    values: '{{schema:0 count:3 sum:4 buckets:[1 2]}}x3'
  promql_expr_test:
  - expr: doubled
    eval_time: 2m
    exp_samples:
    - labels: doubled{job="x"}
      histogram: '${expected}'
`
}

test('native histograms are loaded, recorded and compared', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rule-test-'))
  try {
    await writeFile(join(directory, 'rules.yml'), RULES)
    const run = async (expected: string) => {
      const path = join(directory, 'tests.yml')
      await writeFile(path, testFile(expected))
      return (await runTestFile(path, { logger: silentLogger() })).failures
    }
    expect(await run('{{schema:0 count:6 sum:8 buckets:[2 4]}}')).toEqual([])
    const [failure] = await run('{{schema:0 count:6 sum:8 buckets:[2 5]}}')
    expect(failure).toContain('exp: doubled{job="x"} {{count:6 sum:8 buckets:[2 5]}}')
    expect(failure).toContain('got: doubled{job="x"} {{count:6 sum:8 buckets:[2 4]}}')
    const [unreadable] = await run('3')
    expect(unreadable).toContain('expected 1 native histogram')
  } finally {
    await rm(directory, { recursive: true })
  }
})
