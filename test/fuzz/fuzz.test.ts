import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { testSeed } from '../support/test-seed.ts'
import { listRandomised } from './list-randomised.ts'

const ROOT = new URL('../../', import.meta.url).pathname

afterEach(() => {
  vi.unstubAllEnvs()
})

test('seeds are the same each time unless another is asked for', () => {
  vi.stubEnv('MESHWATCH_TEST_SEED', undefined)
  expect(testSeed('a')).toBe(testSeed('b'))
  expect(testSeed('a', 5)).toBe(5)
  vi.stubEnv('MESHWATCH_TEST_SEED', '77')
  expect(testSeed('a', 5)).toBe(77)
  vi.stubEnv('MESHWATCH_TEST_SEED', 'random')
  const drawn = new Set(Array.from({ length: 20 }, () => testSeed('a', 5)))
  expect(drawn.size).toBeGreaterThan(1)
  vi.stubEnv('MESHWATCH_TEST_SEED', 'yes')
  expect(() => testSeed('a')).toThrow('neither a whole number nor "random": yes')
})

test('properties without a seed of their own have the seed of the run', () => {
  const usual = fc.readConfigureGlobal()?.seed
  expect(usual).toEqual(expect.any(Number))
  expect(fc.check(fc.property(fc.integer(), () => true)).seed).toBe(usual)
})

test('files that draw by a seed are found, and no others', () => {
  const found = listRandomised(ROOT)
  expect(found).toContain('test/kill-nine.test.ts')
  expect(found).toContain('test/numbers-never-fail.test.ts')
  expect(found).not.toContain('test/architecture.test.ts')
})

test('a run of no file, or of no time, is refused', () => {
  for (const argument of [['no-such-file'], ['--minutes', '0']]) {
    const { status, stderr } = spawnSync(process.execPath, ['test/fuzz/run-fuzz.ts', ...argument], {
      cwd: ROOT,
    })
    expect(status).toBe(1)
    expect(String(stderr)).toMatch(/Cannot (find a randomised test|run for --minutes)/)
  }
})
