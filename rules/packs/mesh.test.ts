import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { silentLogger } from '../../runtime/logger.ts'
import { loadRuleFiles, packNames } from '../files/load-rule-files.ts'
import { runTestFile } from '../unit-test/run-test-file.ts'

const PACK = loadRuleFiles({ files: [], packs: ['mesh'] })
const ALERTS = PACK.groups.flatMap(({ rules }) => rules).filter(({ kind }) => kind === 'alerting')

test('the pack has no problems and passes its unit tests', async () => {
  expect(packNames()).toContain('mesh')
  expect(PACK.problems).toEqual([])
  const result = await runTestFile(join(import.meta.dirname, 'mesh.test.yaml'), { logger: silentLogger() })
  expect(result).toMatchObject({ failures: [], warnings: [] })
  expect(result.tests).toBeGreaterThan(10)
})

test('every alert of the pack is unit-tested and stands in the documentation with its severity', () => {
  const tests = readFileSync(join(import.meta.dirname, 'mesh.test.yaml'), 'utf8')
  const docs = readFileSync(resolve(import.meta.dirname, '../../docs/rules.md'), 'utf8')
  for (const { name, labels } of ALERTS) {
    expect(tests).toContain(`alertname: ${name}`)
    expect(docs).toContain(`| ${name} | ${new Map(labels).get('severity')} |`)
  }
  const documented = [...docs.matchAll(/^\| (Mesh\w+) \|/gm)].map((match) => match[1])
  expect(documented).toEqual(expect.arrayContaining(ALERTS.map(({ name }) => name)))
  expect(documented).toHaveLength(ALERTS.length)
})

test('a pack that is not there is a problem that names those that are', () => {
  expect(loadRuleFiles({ files: [], packs: ['mash'] }).problems).toMatchObject([
    { file: 'pack:mash', message: 'cannot read it: there is no such pack (mesh)' },
  ])
})
