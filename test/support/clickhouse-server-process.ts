/**
 * A stand-in for a ClickHouse server, as a process: ClickHouse's HTTP protocol, as far as `@clickhouse/client` speaks it, in
 * front of the embedded engine. Beside it stands `POST /control`, by which a test makes it misbehave.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { brotliDecompressSync, gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import { Session } from 'chdb'
import { formatParameter, quoteString } from '../../storage/format-parameter.ts'

/** How the server behaves; what is sent to `POST /control` replaces single keys. */
export interface Behaviour {
  /**
   * `stall`: requests are taken and not answered until the mode changes. `error`: every query fails. `lose-answer`: every
   * query is executed and its connection closed without an answer.
   */
  mode: 'normal' | 'stall' | 'error' | 'lose-answer'
  /** The failure of mode `error`. */
  errorCode: number
  errorMessage: string
  /** Only statements that contain it are meant; empty: all. */
  only: string
  /** What `version()` says; empty: the truth. */
  version: string
  username: string
  password: string
}

const [dataDir = '', port = '0'] = process.argv.slice(2)
const behaviour: Behaviour = {
  mode: 'normal',
  errorCode: 999,
  errorMessage: 'Told to fail',
  only: '',
  version: '',
  username: 'default',
  password: '',
}
const stalled = new Set<() => void>()

const enginePath = join(dataDir, 'clickhouse')
mkdirSync(enginePath, { recursive: true })
mkdirSync(join(dataDir, 'bodies'), { recursive: true })
/** A cluster named `mesh`, of one shard, which is this engine: so `Distributed` tables work in earnest. */
const CONFIG = `<clickhouse>
  <tcp_port>9000</tcp_port>
  <remote_servers><mesh><shard>
    <internal_replication>true</internal_replication>
    <replica><host>127.0.0.1</host><port>9000</port></replica>
  </shard></mesh></remote_servers>
</clickhouse>
`
const configFile = join(dataDir, 'config.xml')
writeFileSync(configFile, CONFIG)
const engine = new Session(enginePath, { connectionArgs: [`--config-file=${configFile}`] })

/** What a request's session begins with: parameters are longer as statements than they were in the request. */
const LONG_STATEMENTS = 'SET max_query_size = 16777216'

/** URL parameters that speak to the HTTP interface and are no settings. */
const NO_SETTINGS = new Set(
  'query database query_id session_id user password default_format role wait_end_of_query enable_http_compression compress decompress'.split(
    ' ',
  ),
)

const server = createServer((request, response) => {
  handle(request, response).catch((error: unknown) => fail(response, error))
})
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 })
})
process.on('disconnect', () => {
  engine.close()
  process.exit(0)
})

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  if (url.pathname === '/control') {
    Object.assign(behaviour, JSON.parse(await text(request)))
    if (behaviour.mode !== 'stall') for (const release of stalled) release()
    stalled.clear()
    response.end('Ok.\n')
    return
  }
  if (url.pathname === '/ping') {
    if (behaviour.mode === 'stall') await new Promise<void>((resolve) => stalled.add(resolve))
    response.end('Ok.\n')
    return
  }
  const body = await readBody(request)
  authenticate(request, url)
  const { sql, data } = await splitBody(request, url, body)
  await misbehave(sql)
  await answer(url, sql, data, request, response)
}

function authenticate(request: IncomingMessage, url: URL): void {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  const [basicUser, ...rest] = Buffer.from(basic ?? '', 'base64')
    .toString('utf8')
    .split(':')
  const user = url.searchParams.get('user') ?? request.headers['x-clickhouse-user'] ?? basicUser ?? 'default'
  const password = url.searchParams.get('password') ?? request.headers['x-clickhouse-key'] ?? rest.join(':')
  if (user !== behaviour.username || password !== behaviour.password) {
    throw exception(
      516,
      `${user}: Authentication failed: password is incorrect, or there is no user with such name.`,
      'AUTHENTICATION_FAILED',
    )
  }
}

async function misbehave(sql: string): Promise<void> {
  if (!isMeant(sql)) return
  if (behaviour.mode === 'stall') await new Promise<void>((resolve) => stalled.add(resolve))
  if (behaviour.mode === 'error') throw exception(behaviour.errorCode, behaviour.errorMessage, 'TOLD_TO_FAIL')
}

function isMeant(sql: string): boolean {
  return sql.includes(behaviour.only)
}

async function answer(
  url: URL,
  sql: string,
  data: Buffer | null,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const queryId = url.searchParams.get('query_id') ?? randomUUID()
  // A session remembers settings and parameters, so each request has its own, as with HTTP.
  const session = new Session(enginePath)
  const file = join(dataDir, 'bodies', `${randomUUID()}.native`)
  const isCancellable = url.searchParams.get('cancel_http_readonly_queries_on_client_close') === '1'
  let isDone = false
  const kill = () => {
    if (isDone) return
    engine
      .queryAsync(`KILL QUERY WHERE Settings['log_comment'] = ${quoteString(queryId)} ASYNC`)
      .catch(() => {})
    setTimeout(kill, 100)
  }
  response.on('close', () => {
    if (!response.writableFinished && isCancellable) kill()
  })
  try {
    await session.queryAsync(LONG_STATEMENTS)
    const database = url.searchParams.get('database')
    if (database !== null) await session.queryAsync(`USE ${database}`)
    const prefix = sets(url, queryId)
    const statement = await withData(withoutKeeper(sql), data, file)
    const version = behaviour.version
    const result =
      version !== '' && /\bversion\(\)/.test(sql)
        ? Buffer.from(`${JSON.stringify({ version })}\n`)
        : (await session.queryAsync(`${prefix}${statement}`, { format: 'TabSeparated' })).bytes()
    if (behaviour.mode === 'lose-answer' && isMeant(sql)) response.destroy()
    else send(request, response, url, queryId, Buffer.from(result))
  } finally {
    isDone = true
    session.close()
    await rm(file, { force: true })
  }
}

function sets(url: URL, queryId: string): string {
  const assignments = [`log_comment = ${quoteString(queryId)}`]
  let readonly = ''
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) assignments.push(`${name} = ${quoteString(value)}`)
    else if (name === 'readonly') readonly = `SET readonly = ${quoteString(value)}; `
    else if (!NO_SETTINGS.has(name)) assignments.push(`${name} = ${quoteString(formatParameter(value))}`)
  }
  return `SET ${assignments.join(', ')}; ${readonly}`
}

/** There is no Keeper: what runs on the cluster runs here, and nothing is replicated. */
function withoutKeeper(sql: string): string {
  if (!/\bON CLUSTER 'mesh'/.test(sql)) return sql
  return sql
    .replace(/ ON CLUSTER 'mesh'/, '')
    .replace(/Replicated(\w*MergeTree)\('[^']*', '\{replica\}'(?:, )?/, '$1(')
    .replace('replicated_deduplication_window', 'non_replicated_deduplication_window')
}

/** The engine reads Native data from files only; the other formats can follow the statement. */
async function withData(sql: string, data: Buffer | null, file: string): Promise<string> {
  if (data === null) return sql
  const native = /^(INSERT INTO [\s\S]*?)\s*FORMAT Native\s*$/i.exec(sql)
  if (native === null) return `${sql}\n${data.toString('utf8')}`
  await writeFile(file, data)
  return `${native[1]} SELECT * FROM file(${quoteString(file)}, 'Native')`
}

/**
 * With a query in the URL the body is its data, otherwise the body is the query; a form has the query and its parameters,
 * which are put to those of the URL.
 */
async function splitBody(
  request: IncomingMessage,
  url: URL,
  body: Buffer,
): Promise<{ sql: string; data: Buffer | null }> {
  const type = request.headers['content-type'] ?? ''
  if (type.startsWith('multipart/form-data')) {
    const form = await new Response(body, { headers: { 'content-type': type } }).formData()
    for (const [name, value] of form) url.searchParams.set(name, String(value))
    return { sql: url.searchParams.get('query') ?? '', data: null }
  }
  const query = url.searchParams.get('query')
  if (query === null) return { sql: body.toString('utf8'), data: null }
  return { sql: query, data: body.length === 0 ? null : body }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  switch (request.headers['content-encoding']) {
    case 'gzip':
      return gunzipSync(bytes)
    case 'br':
      return brotliDecompressSync(bytes)
    case 'zstd':
      return zstdDecompressSync(bytes)
    default:
      return bytes
  }
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  queryId: string,
  result: Buffer,
): void {
  const zero = { read_rows: '0', read_bytes: '0', written_rows: '0', written_bytes: '0', result_rows: '0' }
  response.setHeader('X-ClickHouse-Query-Id', queryId)
  response.setHeader('X-ClickHouse-Server-Display-Name', 'stand-in')
  response.setHeader('X-ClickHouse-Summary', JSON.stringify(zero))
  response.setHeader('Keep-Alive', 'timeout=10')
  const accepts = String(request.headers['accept-encoding'] ?? '').includes('gzip')
  if (accepts && url.searchParams.get('enable_http_compression') === '1') {
    response.setHeader('Content-Encoding', 'gzip')
    response.end(gzipSync(result))
  } else {
    response.end(result)
  }
}

function exception(code: number, message: string, name: string): Error {
  return new Error(`Code: ${code}. DB::Exception: ${message} (${name})`)
}

function fail(response: ServerResponse, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  const code = /^Code: (\d+)\./.exec(message)?.[1] ?? '1002'
  response.statusCode = code === '516' ? 403 : code === '60' || code === '81' ? 404 : 500
  response.setHeader('X-ClickHouse-Exception-Code', code)
  response.end(`${message} (version 26.7.2.1)\n`)
}
