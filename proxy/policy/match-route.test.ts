import { describe, expect, test } from 'vitest'
import { changeHeaders } from './change-headers.ts'
import { loadPolicy } from './load-policy.ts'
import { matchRoute, type RequestHead, type RouteDecision } from './match-route.ts'

const ENDPOINTS = `
clusters:
- { host: payments, port: 8080, endpoints: [{ address: 127.0.0.1:9001, labels: { version: v1 } }], subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: {} }] }
- { host: cart.shop.svc.cluster.local, port: 80, endpoints: [{ address: 127.0.0.1:9004 }] }
- { host: two-ports, port: 8080, endpoints: [{ address: 127.0.0.1:9005 }] }
- { host: two-ports, port: 9090, endpoints: [{ address: 127.0.0.1:9006 }] }
- { host: api.example.com, port: 443, endpoints: [{ address: 127.0.0.1:9007 }] }
`

function policyOf(http: string, hosts = 'payments') {
  const text = `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: v }\nspec:\n  hosts: [${hosts}]\n  http:\n${http}`
  const { policy, findings } = loadPolicy([
    { file: 'endpoints.yaml', text: ENDPOINTS },
    ...(http === '' ? [] : [{ file: 'policy.yaml', text }]),
  ])
  expect(findings.filter((finding) => finding.severity === 'error')).toEqual([])
  return policy
}

function head(
  path: string,
  fields: Partial<Omit<RequestHead, 'header'>> & { headers?: Record<string, string> } = {},
): RequestHead {
  const { headers = {}, ...rest } = fields
  return {
    method: 'GET',
    path,
    authority: 'payments',
    scheme: 'http',
    header: (name) => headers[name],
    ...rest,
  }
}

/** Asks a policy of routes named by their `name`; the name of the route that is taken. */
function routeName(http: string, request: RequestHead): string | null {
  const decision = matchRoute(policyOf(http), request, () => 0)
  return decision.kind === 'none' ? null : decision.route.name
}

function forward(decision: RouteDecision): Extract<RouteDecision, { kind: 'forward' }> {
  if (decision.kind !== 'forward') throw new Error(`not forwarded: ${decision.kind}`)
  return decision
}

const TO = 'route: [{ destination: { host: payments } }]'

describe('the host', () => {
  test.each([
    ['payments', 'payments'],
    ['PAYMENTS:8080', 'payments'],
    ['payments.default', 'payments'],
    ['payments.default.svc', 'payments'],
    ['payments.default.svc.cluster.local:1234', 'payments'],
    ['cart.shop', 'cart'],
    ['api.example.com', 'api'],
    ['two-ports:9090', '|9090||'],
    ['two-ports:8080', '|8080||'],
    ['two-ports', '|8080||'],
  ])('%s leads to %s', (authority, part) => {
    const decision = forward(matchRoute(policyOf(''), head('/', { authority }), () => 0))
    expect(decision.cluster.name).toContain(part)
    expect(decision.retry?.numRetries).toBe(2)
  })

  test.each(['cart', 'payments.other', 'nobody', '', 'svc.cluster.local', 'default.svc.cluster.local'])(
    '%j is none of ours',
    (authority) => {
      expect(matchRoute(policyOf(''), head('/', { authority }), () => 0)).toEqual({ kind: 'none' })
    },
  )

  test.each([
    ['api.example.com', 'exact'],
    ['x.example.com:80', 'suffix'],
    ['x.y.example.com', 'longer suffix'],
    ['.example.com', 'any'],
    ['elsewhere', 'any'],
  ])('%s is taken by %s: exact before the longest suffix before any', (authority, name) => {
    const service = (host: string, route: string) =>
      `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: v }\nspec: { hosts: ["${host}"], http: [{ name: ${route}, ${TO} }] }`
    const text = [
      service('*', 'any'),
      service('*.example.com', 'suffix'),
      service('*.y.example.com', 'longer suffix'),
      service('api.example.com', 'exact'),
    ].join('\n---\n')
    const { policy } = loadPolicy([
      { file: 'e', text: ENDPOINTS },
      { file: 'p', text },
    ])
    const decision = matchRoute(policy, head('/', { authority }), () => 0)
    expect(decision.kind === 'none' ? null : decision.route.name).toBe(name)
  })

  test('with several ports gives a destination without port the port that was asked for', () => {
    const policy = policyOf('  - route: [{ destination: { host: two-ports } }]', 'two-ports')
    const portOf = (authority: string) =>
      forward(matchRoute(policy, head('/', { authority }), () => 0)).cluster.port
    expect(portOf('two-ports:9090')).toBe(9090)
    expect(portOf('two-ports:8080')).toBe(8080)
    expect(portOf('two-ports')).toBe(8080)
  })
})

describe('a match', () => {
  test.each<[string, RequestHead, boolean]>([
    ['uri: { exact: /a }', head('/a?x=1'), true],
    ['uri: { exact: /a }', head('/a/'), false],
    ['uri: { prefix: /a }', head('/ab'), true],
    ['uri: { prefix: /a/ }', head('/a'), false],
    ['uri: { regex: "/a/[0-9]+" }', head('/a/12?b'), true],
    ['uri: { regex: "/a/[0-9]+" }', head('/a/12/b'), false],
    ['uri: { regex: "(a+)+$" }', head(`/${'a'.repeat(5000)}!`), false],
    ['uri: { exact: /A }, ignoreUriCase: true', head('/a'), true],
    ['uri: { exact: /A }', head('/a'), false],
    ['method: { exact: POST }', head('/', { method: 'POST' }), true],
    ['method: { exact: POST }', head('/'), false],
    ['headers: { X-User: { exact: eve } }', head('/', { headers: { 'x-user': 'eve' } }), true],
    ['headers: { x-user: { exact: eve } }', head('/'), false],
    ['headers: { x-user: { regex: "e.*" } }', head('/', { headers: { 'x-user': 'eve' } }), true],
    ['headers: { x-user: { regex: "e" } }', head('/', { headers: { 'x-user': 'eve' } }), false],
    ['headers: { x-user: {} }', head('/', { headers: { 'x-user': '' } }), true],
    ['headers: { x-user: {} }', head('/'), false],
    ['withoutHeaders: { x-user: {} }', head('/'), true],
    ['withoutHeaders: { x-user: {} }', head('/', { headers: { 'x-user': 'a' } }), false],
    ['withoutHeaders: { x-user: { exact: b } }', head('/', { headers: { 'x-user': 'a' } }), true],
    ['queryParams: { v: { exact: "2" } }', head('/?u=1&v=2'), true],
    ['queryParams: { v: { exact: "2" } }', head('/?u=2'), false],
    ['queryParams: { v: {} }', head('/?v'), true],
    ['port: 8080', head('/', { authority: 'payments:8080' }), true],
    ['port: 8080', head('/'), false],
    ['scheme: { exact: https }', head('/'), false],
    ['authority: { prefix: pay }', head('/'), true],
    ['uri: { prefix: /a }, method: { exact: POST }', head('/a'), false],
    ['gateways: [edge]', head('/'), false],
    ['sourceLabels: { app: shop }', head('/'), false],
  ])('{ %s }', (match, request, isTaken) => {
    expect(routeName(`  - { name: it, match: [{ ${match} }], ${TO} }`, request)).toBe(isTaken ? 'it' : null)
  })

  test('is one of several, and the first route that matches is taken', () => {
    const http = `  - { name: one, match: [{ uri: { prefix: /a } }, { uri: { prefix: /b } }], ${TO} }
  - { name: two, match: [{ uri: { prefix: /a/b } }], ${TO} }
  - { name: rest, ${TO} }`
    expect(routeName(http, head('/b'))).toBe('one')
    expect(routeName(http, head('/a/b'))).toBe('one')
    expect(routeName(http, head('/c'))).toBe('rest')
  })
})

describe('a destination', () => {
  const http = `  - route:
    - { destination: { host: payments, subset: v1 }, weight: 90 }
    - { destination: { host: payments, subset: v2 }, weight: 10 }
    - { destination: { host: cart.shop.svc.cluster.local }, weight: 0 }`

  test.each([
    [0, 'v1'],
    [0.899, 'v1'],
    [0.9, 'v2'],
    [0.999, 'v2'],
  ])('by weight: dice %d choose %s', (dice, subset) => {
    expect(forward(matchRoute(policyOf(http), head('/'), () => dice)).cluster.subset).toBe(subset)
  })
})

describe('a rewrite', () => {
  test.each([
    [
      'match: [{ uri: { prefix: /api/v1/ } }], rewrite: { uri: /v2/api/ }',
      '/api/v1/x/y?q=1',
      '/v2/api/x/y?q=1',
    ],
    ['match: [{ uri: { exact: /old } }], rewrite: { uri: /new }', '/old?q', '/new?q'],
    ['match: [{ uri: { regex: "/o.*" } }], rewrite: { uri: /new }', '/old/er', '/new'],
    ['rewrite: { uri: /base/ }', '/x', '/base/x'],
    [
      'rewrite: { uriRegexRewrite: { match: "^/a/([^/]+)/(.*)$", rewrite: "/\\\\2/\\\\1$" } }',
      '/a/b/c?d',
      '/c/b$?d',
    ],
    ['timeout: 1s', '/x%20y/../z?', '/x%20y/../z?'],
  ])('%s: %s becomes %s', (fields, path, expected) => {
    expect(forward(matchRoute(policyOf(`  - { ${fields}, ${TO} }`), head(path), () => 0)).path).toBe(expected)
  })

  test('of the authority comes by rewrite, or by setting Host', () => {
    const authorityOf = (fields: string) =>
      forward(matchRoute(policyOf(`  - { ${fields}, ${TO} }`), head('/'), () => 0))
    expect(authorityOf('timeout: 1s').authority).toBe('payments')
    expect(authorityOf('rewrite: { authority: other }').authority).toBe('other')
    const byHeader = authorityOf('headers: { request: { set: { Host: third, x-a: b } } }')
    expect(byHeader.authority).toBe('third')
    expect(byHeader.requestHeaders.flatMap((change) => change.set)).toEqual([['x-a', 'b']])
  })
})

describe('an answer of our own', () => {
  test.each([
    [
      'redirect: { uri: /new, authority: other.example, redirectCode: 302 }',
      302,
      'http://other.example/new?q=1',
    ],
    ['redirect: { scheme: https }', 301, 'https://payments/old?q=1'],
    ['redirect: { port: 8443, scheme: https }', 301, 'https://payments:8443/old?q=1'],
  ])('%s', (fields, status, location) => {
    const decision = matchRoute(
      policyOf(`  - { ${fields} }`),
      head('/old?q=1', { authority: 'payments:8080' }),
      () => 0,
    )
    expect(decision).toMatchObject({ kind: 'reply', status, location, body: '' })
  })

  test('is a direct response', () => {
    const policy = policyOf('  - { directResponse: { status: 451, body: { string: no } } }')
    expect(matchRoute(policy, head('/'), () => 0)).toMatchObject({
      kind: 'reply',
      status: 451,
      location: null,
      body: 'no',
    })
  })
})

describe('headers', () => {
  test('are removed, set and added, the destination’s changes first', () => {
    const http = `  - route:
    - destination: { host: payments }
      headers: { request: { set: { x-a: destination }, add: { x-b: "1" } }, response: { remove: [Server] } }
    headers: { request: { set: { X-A: route }, add: { x-b: "2" }, remove: [cookie] } }`
    const decision = forward(matchRoute(policyOf(http), head('/'), () => 0))
    const raw = ['Cookie', 'c=1', 'X-a', 'client', 'Accept', '*/*']
    expect(changeHeaders(raw, decision.requestHeaders)).toEqual([
      'Accept',
      '*/*',
      'x-b',
      '1',
      'x-a',
      'route',
      'x-b',
      '2',
    ])
    expect(changeHeaders(['server', 'x', 'a', 'b'], decision.responseHeaders)).toEqual(['a', 'b'])
  })

  test('stay the same array without changes', () => {
    const raw = ['a', 'b']
    expect(changeHeaders(raw, forward(matchRoute(policyOf(''), head('/'), () => 0)).requestHeaders)).toBe(raw)
  })
})

test('the path template is low in cardinality', () => {
  const templateOf = (fields: string, path: string) => {
    const decision = matchRoute(policyOf(`  - { ${fields}${TO} }`), head(path), () => 0)
    return decision.kind === 'none' ? null : decision.pathTemplate
  }
  expect(templateOf('match: [{ uri: { prefix: /api/ } }], ', '/api/users/7')).toBe('/api/*')
  expect(templateOf('match: [{ uri: { exact: /x } }], ', '/x')).toBe('/x')
  expect(templateOf('', '/users/7')).toBe('/*')
})
