import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FINDING_CODES } from './finding.ts'

test('every code of a finding is described, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/proxy-policy.md'), 'utf8')
  const [, section = ''] = page.split('\n## Findings\n')
  const rows = section.split('\n').filter((line) => line.startsWith('| `'))
  const described = rows.flatMap((row) => (row.split('|')[1] ?? '').match(/[A-Z][A-Z_]+\d*/g) ?? [])
  expect(described.toSorted()).toEqual([...FINDING_CODES].toSorted())
})
