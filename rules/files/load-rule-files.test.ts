import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadRuleFiles, requireRules } from './load-rule-files.ts'
import { ruleProblemText } from './rule-problem.ts'

let baseDir: string

beforeAll(async () => {
  baseDir = await mkdtemp(join(tmpdir(), 'meshwatch-rule-files-'))
  for (const name of ['b', 'a']) {
    await writeFile(
      join(baseDir, `${name}.yaml`),
      `groups: [{name: g, rules: [{record: ${name}, expr: '1'}]}]`,
    )
  }
  await writeFile(
    join(baseDir, 'bad.yml'),
    'groups: [{name: g, rules: [{record: x, expr: "("}, {alert: y}]}]',
  )
})
afterAll(() => rm(baseDir, { recursive: true }))

describe('loadRuleFiles', () => {
  test('reads what patterns match, in order, each file once', () => {
    const { groups, problems, sources } = loadRuleFiles({ files: ['*.yaml', 'a.yaml'], packs: [], baseDir })
    expect(problems).toEqual([])
    expect(sources).toEqual(['a.yaml', 'b.yaml'])
    expect(groups.map(({ file, name }) => [file, name])).toEqual([
      ['a.yaml', 'g'],
      ['b.yaml', 'g'],
    ])
  })

  test('a pattern may match nothing, a named file must be there', () => {
    const { problems } = loadRuleFiles({ files: ['no-*.yaml', 'none.yaml'], packs: [], baseDir })
    expect(problems.map(ruleProblemText)).toEqual([
      expect.stringMatching(/^none\.yaml: cannot read it: ENOENT/),
    ])
  })

  test('requireRules names every problem', () => {
    const load = () => requireRules({ files: ['bad.yml', 'none.yaml'], packs: [], baseDir })
    expect(load).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(load).toThrow(/rule 1, "x": could not parse[\s\S]*rule 2, "y": field 'expr'[\s\S]*none\.yaml/)
    expect(requireRules({ files: ['a.yaml'], packs: ['mesh'], baseDir }).groups).toHaveLength(2)
  })
})
