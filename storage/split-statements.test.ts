import { expect, test } from 'vitest'
import { splitStatements } from './split-statements.ts'

test.each([
  ['', []],
  [' ;\n; -- nothing\n', []],
  ['SELECT 1', ['SELECT 1']],
  ['SELECT 1;\nSELECT 2;\n', ['SELECT 1', 'SELECT 2']],
  ["SELECT ';', 'it''s; \\';'; SELECT 2", ["SELECT ';', 'it''s; \\';'", 'SELECT 2']],
  ['SELECT `a;b`, "c;d"; SELECT 2', ['SELECT `a;b`, "c;d"', 'SELECT 2']],
  ['-- one; two\nSELECT 1; /* a;\nb */ SELECT 2', ['-- one; two\nSELECT 1', '/* a;\nb */ SELECT 2']],
  ["-- it's\nSELECT 1; SELECT 2", ["-- it's\nSELECT 1", 'SELECT 2']],
  ['SELECT 4 / 2 - 1; SELECT 2', ['SELECT 4 / 2 - 1', 'SELECT 2']],
])('%j', (sql, statements) => {
  expect(splitStatements(sql)).toEqual(statements)
})
