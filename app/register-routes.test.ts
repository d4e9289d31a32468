import type { FastifyInstance, InjectOptions, RouteOptions } from 'fastify'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createMetricsEngine } from '../query/metrics/create-metrics-engine.ts'
import { createHttpServer } from '../runtime/http-server.ts'
import { createTokenAccess } from '../runtime/token-file.ts'
import { type OpenQueryDeps, openQueryDeps } from '../test/support/open-query-deps.ts'
import {
  openVirtualAlerting,
  STORY_START_MS,
  type VirtualAlerting,
} from '../test/support/virtual-alerting.ts'
import { configSchema } from './config.ts'
import { registerRoutes } from './register-routes.ts'
import type { Role } from './role.ts'

interface Exemplified {
  readonly example?: unknown
  readonly items?: { readonly example?: unknown }
}
interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly description?: string
  readonly schema: Exemplified
}
interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Exemplified }>> }
  readonly responses: Readonly<Record<string, { readonly content?: object }>>
}
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

let deps: OpenQueryDeps
let world: VirtualAlerting
let open: FastifyInstance | null = null

beforeAll(async () => {
  deps = await openQueryDeps({ now: STORY_START_MS })
  world = await openVirtualAlerting('route: {receiver: nobody}\nreceivers: [{name: nobody}]')
})
afterEach(async () => {
  await open?.close()
  open = null
})
afterAll(async () => {
  await world.close()
  await deps.close()
})

/** The API of a process with these roles, and what it registered under `/api`: `get /api/alerts/{fingerprint}/explain`. */
async function openApi(roles: readonly Role[], plant: (app: FastifyInstance) => void = () => {}) {
  const { clock, logger, registry } = deps
  registry.clear()
  const app = createHttpServer({
    access: createTokenAccess({ tokensFile: null }),
    tls: null,
    clock,
    logger,
    registry,
  })
  open = app
  const registered: string[] = []
  app.addHook('onRoute', ({ method, url }: RouteOptions) => {
    if (!url.startsWith('/api/') || /^\/api\/(docs|openapi\.json)/.test(url)) return
    const path = url.replace(/:(\w+)/g, '{$1}')
    for (const one of [method].flat()) if (one !== 'HEAD') registered.push(`${one.toLowerCase()} ${path}`)
  })
  const parts = await registerRoutes(app, {
    roles: new Set(roles),
    config: configSchema.parse({}),
    queryDeps: deps,
    engine: createMetricsEngine(deps),
    ingest: {
      write: async () => ({ status: 204, headers: {}, body: '' }),
      targets: async () => ({ active: [], dropped: [] }),
    },
    checks: {},
    threadMetrics: async () => [],
    externalUrl: () => 'http://mesh.test',
  })
  plant(app)
  parts?.rules.start({ state: () => [], reload: async () => {}, close: async () => {} })
  parts?.alerting.start(world.alerting)
  await app.ready()
  const answer = await app.inject('/api/openapi.json')
  const document = answer.statusCode === 200 ? answer.json<Document>() : null
  const operations = Object.entries(document?.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
  )
  return { app, registered, operations, described: operations.map(({ name }) => name) }
}

describe('the description of the native API', () => {
  test('has every route under /api, and nothing else', async () => {
    const { registered, described } = await openApi(['ingest', 'query', 'alerting'])
    expect(described.sort()).toEqual(registered.sort())
    expect(described).toEqual(
      expect.arrayContaining([
        'get /api/rules',
        'get /api/alerts',
        'get /api/alerts/{fingerprint}/explain',
        'get /api/silences',
        'post /api/silences',
        'get /api/silences/{id}',
        'delete /api/silences/{id}',
        'get /api/notifications',
        'get /api/traces/{traceId}',
      ]),
    )
  })

  test('the check sees a route that is missing', async () => {
    const { registered, described } = await openApi(['query'], (app) => {
      app.get('/api/hidden', { schema: { hide: true } }, async () => ({}))
    })
    expect(registered.filter((name) => !described.includes(name))).toEqual(['get /api/hidden'])
  })

  test('says of every route what it is for, what it takes and what it answers', async () => {
    const { operations } = await openApi(['ingest', 'query', 'alerting'])
    for (const { name, path, operation } of operations) {
      const { summary, tags, parameters = [], requestBody, responses } = operation
      expect({ name, summary, tags }).toEqual({
        name,
        summary: expect.any(String),
        tags: [expect.any(String)],
      })
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)
      expect({ name, parameters: parameters.map((one) => one.name) }).toEqual({
        name,
        parameters: expect.arrayContaining(inPath),
      })
      expect({ name, silent: parameters.filter(({ description }) => description === undefined) }).toEqual({
        name,
        silent: [],
      })
      expect({ name, hasBody: requestBody !== undefined }).toEqual({
        name,
        hasBody: /^(post|put)/.test(name),
      })
      for (const status of ['200', '401', '403', '503']) {
        expect({ name, status, content: responses[status]?.content }).toEqual({
          name,
          status,
          content: { 'application/json': { schema: expect.anything() } },
        })
      }
    }
  })

  test('has examples that can be tried unchanged', async () => {
    const { app, operations } = await openApi(['query', 'alerting'])
    const failed: unknown[] = []
    for (const { name, operation } of operations) {
      const answer = await app.inject(tryUnchanged(name, operation))
      // Nobody knows what an id names that is only an example.
      const isUnknown = answer.statusCode === 404 && /\{(id|fingerprint|traceId)\}/.test(name)
      if (answer.statusCode !== 200 && !isUnknown) failed.push({ name, answer: answer.body })
    }
    expect(failed).toEqual([])
    expect((await app.inject('/api/silences')).json()).toMatchObject({ silences: [{ state: 'active' }] })
  })

  test.each([
    ['query', '/api/traces', '/api/alerts'],
    ['alerting', '/api/alerts', '/api/traces'],
  ] as const)('with the role %s alone has what that role answers', async (role, present, absent) => {
    const { operations } = await openApi([role])
    const paths = operations.map(({ path }) => path)
    expect(paths).toContain(present)
    expect(paths).not.toContain(absent)
  })
})

/** The request that the page at `/api/docs` makes when nothing is changed in what it fills in. */
function tryUnchanged(name: string, { parameters = [], requestBody }: Operation): InjectOptions {
  const [method = '', path = ''] = name.split(' ')
  const given = parameters.flatMap(({ name: key, in: place, schema }) => {
    const example = schema.example ?? schema.items?.example
    return example === undefined ? [] : [{ key, place, value: String(example) }]
  })
  const inQuery = given.filter(({ place }) => place === 'query')
  const query = new URLSearchParams(inQuery.map(({ key, value }): [string, string] => [key, value]))
  const url = path.replace(/\{(\w+)\}/g, (_, key) => {
    const value = given.find((one) => one.place === 'path' && one.key === key)?.value
    if (value === undefined) throw new Error(`${name} has no example of ${key}`)
    return encodeURIComponent(value)
  })
  const payload = requestBody?.content['application/json']?.schema.example
  return {
    method: method.toUpperCase() as 'GET',
    url: `${url}?${query}`,
    ...(payload === undefined ? {} : { payload: payload as object }),
  }
}
