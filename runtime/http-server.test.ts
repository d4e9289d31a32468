import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { systemClock } from './clock.ts'
import { AppError } from './errors.ts'
import { createHttpServer } from './http-server.ts'
import { createLogger, silentLogger } from './logger.ts'
import { createTokenAccess } from './token-file.ts'

const READ = 'read-token-0123456789'
const WRITE = 'write-token-0123456789'
let dir: string
let app: FastifyInstance
let registry: Registry

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'meshwatch-http-'))
  registry = new Registry()
})

afterEach(async () => {
  await app.close()
  rmSync(dir, { recursive: true })
})

describe('without tokens', () => {
  beforeEach(() => {
    app = server(null)
  })

  test('every request is of the default tenant', async () => {
    app.get('/who', async (request) => ({ tenant: request.tenant }))
    expect((await app.inject('/who')).json()).toEqual({ tenant: 'default' })
  })

  test('an AppError becomes its status, code, message and details', async () => {
    app.get('/parse', async () => {
      throw new AppError('QUERY_PARSE_FAILED', "Cannot parse the query: unexpected ')' at 1:14", {
        details: { position: { line: 1, column: 14 } },
      })
    })
    const answer = await app.inject('/parse')
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toEqual({
      error: {
        code: 'QUERY_PARSE_FAILED',
        message: "Cannot parse the query: unexpected ')' at 1:14",
        position: { line: 1, column: 14 },
      },
    })
  })

  test('what may succeed later carries Retry-After in whole seconds, rounded up', async () => {
    app.get('/busy', async () => {
      throw new AppError('STORAGE_UNAVAILABLE', 'Cannot ask: gone', { retryAfterMs: 1200 })
    })
    const answer = await app.inject('/busy')
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2'])
  })

  test('an unexpected error tells the client nothing and the log everything', async () => {
    await app.close()
    const lines: string[] = []
    const logger = createLogger({
      level: 'info',
      isReadable: false,
      clock: systemClock,
      write: (line) => void lines.push(line),
    })
    app = createHttpServer({
      access: createTokenAccess({ tokensFile: null }),
      tls: null,
      clock: systemClock,
      logger,
      registry: new Registry(),
    })
    app.get('/bug', async () => {
      throw new TypeError('the password is hunter2')
    })
    const answer = await app.inject('/bug')
    expect(answer.statusCode).toBe(500)
    expect(answer.json().error.code).toBe('INTERNAL')
    expect(answer.body).not.toMatch(/hunter2|http-server/)
    expect(lines.join('')).toContain('hunter2')
  })

  test('a failed validation names the parameter', async () => {
    app.setValidatorCompiler(validatorCompiler)
    app.setSerializerCompiler(serializerCompiler)
    const querystring = z.strictObject({ limit: z.coerce.number().int().max(10) })
    app.get('/search', { schema: { querystring } }, async () => ({}))
    const answer = await app.inject('/search?limit=99')
    expect(answer.statusCode).toBe(400)
    expect(answer.json().error).toMatchObject({ code: 'INVALID_ARGUMENT', path: 'limit' })
    expect(answer.json().error.message).toMatch(/^Cannot read the query parameters: limit: /)
    expect((await app.inject('/search?limit=1')).statusCode).toBe(200)
  })

  test('a path that is not there and a method it does not take', async () => {
    app.get('/api/traces/:id', async () => ({}))
    const missing = await app.inject('/nothing')
    expect([missing.statusCode, missing.json().error.code]).toEqual([404, 'NOT_FOUND'])
    const wrong = await app.inject({ method: 'DELETE', url: '/api/traces/1' })
    expect([wrong.statusCode, wrong.json().error.code]).toEqual([405, 'METHOD_NOT_ALLOWED'])
    expect(wrong.headers['allow']).toBe('GET, HEAD')
  })

  test('a body that is too large, of a wrong kind or not JSON', async () => {
    app.post('/b', { bodyLimit: 10 }, async () => ({}))
    const post = async (payload: string, type: string) => {
      const answer = await app.inject({
        method: 'POST',
        url: '/b',
        payload,
        headers: { 'content-type': type },
      })
      return [answer.statusCode, answer.json().error.code]
    }
    expect(await post('"0123456789"', 'application/json')).toEqual([413, 'MESSAGE_TOO_LARGE'])
    expect(await post('x', 'image/png')).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
    expect(await post('{', 'application/json')).toEqual([400, 'INVALID_ARGUMENT'])
  })

  test('a request id is taken over when harmless, made otherwise', async () => {
    app.get('/x', async () => ({}))
    const given = await app.inject({ url: '/x', headers: { 'x-request-id': 'abc-1' } })
    expect(given.headers['x-request-id']).toBe('abc-1')
    const hostile = await app.inject({ url: '/x', headers: { 'x-request-id': 'a\tb "' } })
    expect(hostile.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('requests are measured by route, not by path', async () => {
    app.get('/t/:id', async () => ({}))
    await app.inject('/t/1')
    await app.inject('/t/2')
    expect(await registry.metrics()).toContain(
      'meshwatch_http_request_duration_seconds_count{method="GET",route="/t/:id",status="200"} 2',
    )
  })

  test('the signal aborts when the client goes away, and only then', async () => {
    const finished: boolean[] = []
    let seen: AbortSignal | undefined
    let release = () => {}
    const arrived = new Promise<void>((resolve) => {
      app.get('/slow', async (request) => {
        seen = request.abortSignal
        resolve()
        await new Promise<void>((done) => {
          release = done
          request.abortSignal.addEventListener('abort', () => done())
        })
        finished.push(request.abortSignal.aborted)
        return {}
      })
    })
    app.get('/fast', async (request) => {
      finished.push(request.abortSignal.aborted)
      return {}
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const base = `http://127.0.0.1:${port}`
    await (await fetch(`${base}/fast`)).text()
    const client = httpRequest(`${base}/slow`)
    client.on('error', () => undefined)
    client.end()
    await arrived
    expect(seen?.aborted).toBe(false)
    const aborted = new Promise((resolve) => seen?.addEventListener('abort', resolve))
    client.destroy()
    await aborted
    release()
    expect(finished[0]).toBe(false)
    expect(seen?.aborted).toBe(true)
  })
})

describe('with tokens', () => {
  beforeEach(() => {
    const file = join(dir, 'tokens.yaml')
    writeFileSync(
      file,
      `tokens:
  - { name: reader, token: ${READ}, scopes: [read], tenants: [shop, bank] }
  - { name: writer, token: ${WRITE}, scopes: [write], tenant: shop }
`,
    )
    app = server(file)
    app.get('/data', async (request) => request.tenant)
    app.post('/data', async (request) => request.tenant)
    app.post('/query', { config: { access: 'read' } }, async (request) => request.tenant)
    app.get('/healthz', { config: { access: 'open' } }, async () => 'ok')
  })

  const ask = async (method: 'GET' | 'POST', url: string, token?: string, tenant?: string) => {
    const answer = await app.inject({
      method,
      url,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(tenant === undefined ? {} : { 'x-scope-orgid': tenant }),
      },
    })
    return answer.statusCode === 200 ? answer.body : answer.statusCode
  }

  test('scopes follow the method unless the route says otherwise', async () => {
    expect(await ask('GET', '/data')).toBe(401)
    expect(await ask('GET', '/data', 'unknown')).toBe(401)
    expect(await ask('GET', '/data', READ, 'bank')).toBe('bank')
    expect(await ask('POST', '/data', READ, 'bank')).toBe(403)
    expect(await ask('POST', '/data', WRITE)).toBe('shop')
    expect(await ask('GET', '/data', WRITE)).toBe(403)
    expect(await ask('POST', '/query', READ, 'shop')).toBe('shop')
    expect(await ask('GET', '/healthz')).toBe('ok')
  })

  test('401 says how to authenticate', async () => {
    expect((await app.inject('/data')).headers['www-authenticate']).toMatch(/^Bearer/)
  })
})

function server(tokensFile: string | null): FastifyInstance {
  return createHttpServer({
    access: createTokenAccess({ tokensFile }),
    tls: null,
    clock: systemClock,
    logger: silentLogger(),
    registry,
  })
}
