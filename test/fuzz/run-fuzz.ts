import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { systemClock } from '../../runtime/clock.ts'
import { listRandomised } from './list-randomised.ts'

// npm run fuzz -- [--minutes 10] [PART-OF-A-FILE-NAME …]
const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string', default: '10' } },
  allowPositionals: true,
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error(`Cannot run for --minutes ${values.minutes}: expected a number above 0`)
const root = new URL('../../', import.meta.url).pathname
const files = listRandomised(root).filter(
  (file) => positionals.length === 0 || positionals.some((part) => file.includes(part)),
)
if (files.length === 0) throw new Error(`Cannot find a randomised test like ${positionals.join(', ')}`)
const until = systemClock.monotonic() + minutes * 60_000
let runs = 0
while (systemClock.monotonic() < until) {
  for (const file of shuffled(files)) {
    if (systemClock.monotonic() >= until) break
    await runOnce(file)
    runs += 1
  }
}
console.log(`${runs} runs of ${files.length} files, none failed`)

/** Runs a file with a seed of its own; ends this process with 1 when a test fails. */
async function runOnce(file: string): Promise<void> {
  const seed = randomInt(2 ** 31)
  const startedAt = systemClock.monotonic()
  const { code, output } = await vitest(file, seed)
  const seconds = ((systemClock.monotonic() - startedAt) / 1000).toFixed(1)
  console.log(`${code === 0 ? 'passed' : 'FAILED'} ${seconds} s MESHWATCH_TEST_SEED=${seed} ${file}`)
  if (code === 0) return
  console.log(output)
  console.log(`To repeat: MESHWATCH_TEST_SEED=${seed} npm test -- ${file}`)
  process.exit(1)
}

function vitest(
  file: string,
  seed: number,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', file], {
    cwd: root,
    env: { ...process.env, MESHWATCH_TEST_SEED: String(seed) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; output: string }>()
  child.once('error', reject).once('close', (code) => resolve({ code, output }))
  return promise
}

function shuffled(list: readonly string[]): string[] {
  return list
    .map((file) => [randomInt(2 ** 31), file] as const)
    .sort(([a], [b]) => a - b)
    .map(([, file]) => file)
}
