import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listTargetFiles, TARGET_FILE_NAME } from './list-target-files.ts'

const FILES = [
  'a.json',
  'b.json',
  'c1.yml',
  'c2.yml',
  'cü.yml',
  'd[1].yaml',
  '.hidden.json',
  'x{a,b}.json',
  'x+y.json',
]
let dir: string

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'meshwatch-list-'))
  for (const file of FILES) writeFileSync(join(dir, file), '[]')
})
afterAll(() => rmSync(dir, { recursive: true }))

test.each([
  ['a.json', ['a.json']],
  ['none.json', []],
  ['*.json', ['.hidden.json', 'a.json', 'b.json', 'x+y.json', 'x{a,b}.json']],
  ['c?.yml', ['c1.yml', 'c2.yml', 'cü.yml']],
  ['c[1-2].yml', ['c1.yml', 'c2.yml']],
  ['c[^1].yml', ['c2.yml', 'cü.yml']],
  ['d[1].yaml', []],
  ['d\\[1].yaml', ['d[1].yaml']],
  ['x{a,b}.json', ['x{a,b}.json']],
  ['x+y.json', ['x+y.json']],
  ['x[.json', []],
  ['[z-a].json', []],
])('%s stands for %j', (name, files) => {
  expect(listTargetFiles(join(dir, name))).toEqual(files.map((file) => join(dir, file)))
})

test('a folder that is not there has no files', () => {
  expect(listTargetFiles(join(dir, 'none/*.json'))).toEqual([])
})

test.each([
  ['x.json', true],
  ['a/b/x*y.YAML', true],
  ['a/*.yml', true],
  ['x.txt', false],
  ['a/*/x.json', false],
  ['*', false],
])('%s can be looked for: %s', (name, isFine) => {
  expect(TARGET_FILE_NAME.test(name)).toBe(isFine)
})
