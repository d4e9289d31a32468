import { expect, test } from 'vitest'
import { createRevisions } from './table-revisions.ts'

test('change before and after each change of the table, also of one that fails', async () => {
  const revisions = createRevisions('embedded')
  const seen = [revisions.of('a'), revisions.of('b')]
  await revisions.change('a', async () => {
    expect(revisions.of('a')).not.toBe(seen[0])
    seen[0] = revisions.of('a')
  })
  expect(revisions.of('a')).not.toBe(seen[0])
  expect(revisions.of('b')).toBe(seen[1])
  const before = revisions.of('b')
  await expect(revisions.change('b', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(revisions.of('b')).not.toBe(before)
  const all = [revisions.of('a'), revisions.of('b')]
  await revisions.changeAll(async () => undefined)
  expect([revisions.of('a') === all[0], revisions.of('b') === all[1]]).toEqual([false, false])
})

test('of a server are not known', async () => {
  const revisions = createRevisions('server')
  await revisions.change('a', async () => undefined)
  expect(revisions.of('a')).toBeNull()
})
