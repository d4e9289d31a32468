import { expect, test } from 'vitest'
import { unquoteGo } from './unquote-go.ts'

test.each([
  ['"plain"', 'plain'],
  [String.raw`"a\tb\nc\\d\"e"`, 'a\tb\nc\\d"e'],
  [String.raw`'it\'s'`, "it's"],
  [String.raw`"\xc3\xa9\303\251\u00e9\U0001F600"`, 'ééé😀'],
  [String.raw`"\xff!"`, '\ufffd!'],
  ['`raw \\n`', 'raw \\n'],
  ['`a\r\nb`', 'a\nb'],
  ['""', ''],
])('%s', (quoted, text) => {
  expect(unquoteGo(quoted)).toBe(text)
})

test.each([
  [String.raw`"\q"`],
  [String.raw`"\x4"`],
  [String.raw`"\U00110000"`],
  [String.raw`"\400"`],
  ['"\\"'],
])('%s is refused', (quoted) => {
  expect(() => unquoteGo(quoted)).toThrow(SyntaxError)
})
