import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runScript } from './conformance/run-script.ts'

// Prometheus' own scripts are not part of this repository; they lie beside the checkout where it is developed.
const DIRECTORY = resolve(import.meta.dirname, '../../shared/prometheus-tests/promql')
const isThere = existsSync(DIRECTORY)

describe.skipIf(!isThere)(
  `Prometheus' scripts${isThere ? '' : ` (skipped: ${DIRECTORY} is not there)`}`,
  () => {
    const files = isThere ? readdirSync(DIRECTORY).filter((name) => name.endsWith('.test')) : []

    test.each(files)('%s', async (file) => {
      const outcomes = await runScript(readFileSync(join(DIRECTORY, file), 'utf8'))
      expect(outcomes.filter(({ failure }) => failure !== null)).toEqual([])
      expect(outcomes).not.toEqual([])
    })
  },
)

describe('our own scripts', () => {
  const directory = join(import.meta.dirname, 'conformance/scripts')

  test.each(readdirSync(directory))('%s passes as a whole', async (file) => {
    const outcomes = await runScript(readFileSync(join(directory, file), 'utf8'))
    expect(outcomes.filter(({ failure }) => failure !== null)).toEqual([])
    expect(outcomes.length).toBeGreaterThan(10)
  })
})

describe('the runner', () => {
  const run = async (evaluation: string) => {
    const [outcome] = await runScript(`load 1m\n  a{x="1"} 1 2 3\n  b{x="1"} 10 20 30\n\n${evaluation}\n`)
    return outcome?.failure
  }

  test.each<[string, string | null]>([
    ['eval instant at 2m a\n  a{x="1"} 3', null],
    ['eval instant at 2m a\n  a{x="1"} 4', 'a{x="1"}: got 3, not 4'],
    ['eval instant at 2m a\n  a{x="2"} 3', 'a{x="2"} is missing'],
    ['eval instant at 2m a or b\n  a{x="1"} 3', null],
    ['eval instant at 2m {x="1"}\n  a{x="1"} 3', 'unexpected b{x="1"} 30'],
    ['eval instant at 2m a\n  expect fail', 'does not fail'],
    ['eval instant at 2m a + on() group_left() b +', 'fails: 1:26: parse error: unexpected end of input'],
    ['eval range from 0 to 2m step 1m a + b\n  {x="1"} 11 22 33', null],
    ['eval range from 0 to 2m step 1m a + b\n  {x="1"} 11 22 _', '{x="1"} at 120000 ms: unexpected 33'],
    [
      'eval instant at 2m rate(a[2m])\n  expect no_info\n  {x="1"} 0.01666666666',
      expect.stringContaining('unexpected info'),
    ],
  ])('judges %j', async (evaluation, expected) => {
    expect(await run(evaluation)).toEqual(expected)
  })
})
