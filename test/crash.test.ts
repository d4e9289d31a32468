import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { exportOneSpan } from './support/one-span.ts'
import { startMeshwatch } from './support/start-meshwatch.ts'
import { waitUntil } from './support/wait-until.ts'

const PLANT = pathToFileURL(join(import.meta.dirname, 'support/plant-failure.ts')).href
const TRACE = '0af7651916cd43dd8448eb211c80319c'

let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'meshwatch-crash-'))
})

afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

test.each([
  ['exception', 'planted'],
  ['rejection', 'planted'],
  ['thread', 'planted'],
  ['exit', 'The receiver thread has ended'],
])(
  'what nobody has foreseen (%s) is logged and ends the process with 1; the next start goes on',
  async (kind, message) => {
    const environment = { NODE_OPTIONS: `--import ${PLANT}`, PLANT_FAILURE: kind }
    const server = await startMeshwatch({ dataDir, environment })
    expect(await exportOneSpan(server.otlpHttpUrl, TRACE)).toBe(200)
    // The engine is in the middle of something: its threads must not hold up the end, nor break it.
    const busy = Array.from({ length: 8 }, () => askUntilGone(`${server.url}/prometheus/api/v1/query`))
    await Promise.all(busy.map(({ answered }) => answered))
    server.child.kill('SIGUSR2')
    expect(await server.exit).toBe(1)
    await Promise.all(busy.map(({ gone }) => gone))
    const crashes = server.lines.filter(({ event }) => event === 'crashed')
    expect(crashes).toMatchObject([{ level: 'fatal', err: { message } }])

    const next = await startMeshwatch({ dataDir })
    await waitUntil(
      'the span is there',
      async () => (await fetch(`${next.url}/api/traces/${TRACE}`)).status === 200,
    )
    expect(await next.stop()).toBe(0)
  },
)

/** Asks one question after the other, each a new one. `answered`: the first is; `gone`: nobody answers any more. */
function askUntilGone(url: string): { readonly answered: Promise<void>; readonly gone: Promise<void> } {
  const answered = Promise.withResolvers<void>()
  const ask = async (): Promise<void> => {
    for (let i = 0; ; i++) {
      const query = `count_over_time({__name__=~".+"}[${i + 1}h])`
      const answer = await fetch(`${url}?query=${encodeURIComponent(query)}`).catch(() => null)
      await answer?.arrayBuffer().catch(() => null)
      answered.resolve()
      if (answer === null) return
    }
  }
  return { answered: answered.promise, gone: ask() }
}
