import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AppError } from '../../runtime/errors.ts'
import { createHttpServer } from '../../runtime/http-server.ts'
import { insertSpans } from '../../test/support/insert-spans.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { SAMPLE_TRACE } from '../../test/support/sample-trace.ts'
import { registerNativeApi } from '../http/native/register-native-api.ts'
import { traceResponse } from '../http/native/trace-schemas.ts'
import { formatNanos } from './format-nanos.ts'
import { searchTracesCommand } from './search-traces.ts'
import { showTrace } from './show-trace.ts'
import { terminalJson, terminalText } from './terminal-text.ts'

const TOKEN = 'open-sesame'

let deps: OpenQueryDeps
let app: FastifyInstance
let url: string
let dir: string
let tokenFile: string

beforeAll(async () => {
  deps = await openQueryDeps({ now: 1_763_626_500_000 })
  await insertSpans(deps.storage, SAMPLE_TRACE.spans)
  app = createHttpServer({
    access: {
      isEnforced: true,
      authorize: ({ authorization }) => {
        if (authorization === `Bearer ${TOKEN}`) return { tenant: 'default' }
        throw new AppError('UNAUTHENTICATED', 'Cannot authorize the request: it has no token')
      },
    },
    tls: null,
    clock: deps.clock,
    logger: deps.logger,
    registry: deps.registry,
  })
  registerNativeApi(app, deps)
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  dir = await mkdtemp(join(tmpdir(), 'meshwatch-cli-'))
  tokenFile = join(dir, 'token')
  await writeFile(tokenFile, `${TOKEN}\n`)
})

afterAll(async () => {
  await app.close()
  await deps.close()
  await rm(dir, { recursive: true })
})

async function run(command: typeof showTrace, args: readonly string[]) {
  let stdout = ''
  let stderr = ''
  const code = await command(args, {
    stdout: (text) => {
      stdout += text
    },
    stderr: (text) => {
      stderr += text
    },
    fetch,
    columns: 100,
    isTty: false,
  })
  return { code, stdout, stderr }
}

const server = () => ['--url', url, '--token-file', tokenFile]

describe('meshwatch trace', () => {
  test('draws the tree', async () => {
    const { code, stdout, stderr } = await run(showTrace, [SAMPLE_TRACE.traceId, ...server()])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('└─ ✗ frontend POST checkout 503 UO retry 1 → checkout')
  })

  test('prints the answer with --json', async () => {
    const { stdout } = await run(showTrace, [SAMPLE_TRACE.traceId, '--json', ...server()])
    expect(traceResponse.parse(JSON.parse(stdout)).spans).toHaveLength(3)
  })

  test('says what the server says', async () => {
    const unknown = await run(showTrace, ['1', ...server()])
    expect(unknown).toEqual({
      code: 1,
      stdout: '',
      stderr: `Cannot find the trace ${'1'.padStart(32, '0')}: no span of it is stored\n`,
    })
    const closed = await run(showTrace, ['1', '--url', url])
    expect(closed).toMatchObject({ code: 1, stderr: 'Cannot authorize the request: it has no token\n' })
  })

  test('says in one sentence that the server cannot be reached', async () => {
    // Port 1 is reserved; nothing listens there.
    const { code, stderr } = await run(showTrace, ['1', '--url', 'http://127.0.0.1:1'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^Cannot reach http:\/\/127\.0\.0\.1:1: .+\n$/)
  })

  test('does not take something else for an answer', async () => {
    const io = { stdout: () => undefined, columns: 80, isTty: false }
    let stderr = ''
    const code = await showTrace(['1'], {
      ...io,
      stderr: (text) => {
        stderr += text
      },
      fetch: () => Promise.resolve(Response.json({ hello: 'world' })),
    })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "Cannot read the answer of http://127.0.0.1:9797: it is not in meshwatch's form\n",
    })
  })

  test.each([[[]], [['a', 'b']], [['--nope']], [['1', '--url']]])(
    'wrong arguments %j: usage, 2',
    async (args) => {
      const { code, stdout, stderr } = await run(showTrace, args)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain('usage: meshwatch trace ID')
    },
  )

  test('a URL or token file that is none is said', async () => {
    expect(await run(showTrace, ['1', '--url', 'nowhere'])).toMatchObject({ code: 1 })
    const missing = await run(showTrace, ['1', '--token-file', join(dir, 'missing')])
    expect(missing.stderr).toContain('Cannot read the token file')
  })
})

describe('meshwatch traces', () => {
  test('prints a table', async () => {
    const filter = [
      '--service',
      'frontend',
      '--min-duration',
      '100ms',
      '--attr',
      'int=200',
      '--attr',
      'host.cpus=8',
    ]
    const { code, stdout, stderr } = await run(searchTracesCommand, [...filter, ...server()])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(
      `START                    TRACE                            DURATION  SPANS ERRORS ROOT … MATCHING SPAN
2025-11-20T08:00:00.123Z 0af7651916cd43dd8448eb211c80319c    250ms      3      2 frontend GET /cart …
`,
    )
  })

  test('hands every filter on', async () => {
    const seen: string[] = []
    const args = [
      ...['--service', 'a b', '--operation', 'o', '--kind', 'client', '--status', 'error', '--error', 'true'],
      ...[
        '--min-duration',
        '1ms',
        '--max-duration',
        '2ms',
        '--attr',
        'a=1',
        '--attr',
        'b=2&c',
        '--flag',
        'UO',
      ],
      ...[
        '--retried',
        'true',
        '--http-status',
        '503',
        '--grpc-status',
        '14',
        '--upstream',
        'u',
        '--cluster',
        'c',
      ],
      ...['--endpoint', 'e', '--root', 'false', '--start', 'now-2h', '--end', 'now', '--limit', '5'],
      ...['--order', 'duration', '--cursor', 'x'],
    ]
    await searchTracesCommand(args, {
      stdout: () => undefined,
      stderr: () => undefined,
      columns: 80,
      isTty: false,
      fetch: (target) => {
        seen.push(String(target))
        return Promise.resolve(Response.json({ traces: [], cursor: null, isPartial: false }))
      },
    })
    expect(seen.map((target) => new URL(target).search)).toEqual([
      '?service=a+b&operation=o&kind=client&status=error&error=true&minDuration=1ms&maxDuration=2ms&attr=a%3D1' +
        '&attr=b%3D2%26c&flag=UO&retried=true&httpStatus=503&grpcStatus=14&upstream=u&cluster=c&endpoint=e&root=false' +
        '&start=now-2h&end=now&limit=5&order=duration&cursor=x',
    ])
  })

  test('says that nothing matches, and how to go on', async () => {
    const none = await run(searchTracesCommand, ['--service', 'nobody', ...server()])
    expect(none).toEqual({ code: 0, stdout: '', stderr: 'No trace matches.\n' })
    await insertSpans(deps.storage, [
      { traceId: 'ff', spanId: '1', service: 'b', startTimeUnixNano: 1_763_625_700_000_000_000n },
    ])
    const first = await run(searchTracesCommand, ['--limit', '1', ...server()])
    const cursor = /^More: add --cursor (\S+)\n$/.exec(first.stderr)?.[1] ?? ''
    const second = await run(searchTracesCommand, ['--limit', '1', '--cursor', cursor, ...server()])
    expect(second).toMatchObject({ code: 0, stderr: '' })
    expect(second.stdout).toContain(SAMPLE_TRACE.traceId)
  })

  test('says which parameter is wrong', async () => {
    const { code, stderr } = await run(searchTracesCommand, ['--min-duration', '5', ...server()])
    expect(code).toBe(1)
    expect(stderr).toContain('minDuration: expected a duration')
  })
})

describe('text for a terminal', () => {
  test.each([
    [87n, '87ns'],
    [999n, '999ns'],
    [1500n, '1.5µs'],
    [250_000_999n, '250ms'],
    [1_254_000_000n, '1.25s'],
    [125_000_000_000n, '2m05s'],
    [3_725_000_000_000n, '1h02m'],
    [-1000n, '-1µs'],
    [0n, '0ns'],
  ])('%i ns is %s', (nanos, expected) => {
    expect(formatNanos(nanos)).toBe(expected)
  })

  test('leaves harmless text alone and reads back from JSON', () => {
    expect(terminalText('naïve ☕ 商店')).toBe('naïve ☕ 商店')
    const value = { a: ['\u001b[2J\u202e\u009b', 'x\ny'] }
    for (const character of ['\u001b', '\u202e', '\u009b']) {
      expect(terminalJson(value)).not.toContain(character)
    }
    expect(JSON.parse(terminalJson(value))).toEqual(value)
  })
})
