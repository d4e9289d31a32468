import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { loadPolicy } from './load-policy.ts'
import { matchRoute } from './match-route.ts'
import { isRecord } from './policy-document.ts'

/** Documents as articles print them; where they are not at hand, our own below are enough to start from. */
const folder = join(import.meta.dirname, '../../../shared/policies')
const ENDPOINTS =
  'clusters: [{ host: user-service, port: 80, endpoints: [{ address: 127.0.0.1:1, labels: { version: v1 } }] }]'
const OWN = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: v }
spec:
  hosts: [user-service]
  http:
  - match: [{ uri: { prefix: /api/ }, headers: { x-user: { regex: "a.*" } }, method: { exact: GET } }]
    rewrite: { uri: / }
    timeout: 3s
    retries: { attempts: 3, perTryTimeout: 1s, retryOn: "5xx,reset", backoff: 10ms }
    fault: { delay: { percentage: { value: 10 }, fixedDelay: 1s }, abort: { percentage: { value: 5 }, httpStatus: 500 } }
    route: [{ destination: { host: user-service, subset: v1, port: { number: 80 } }, weight: 90 }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: d }
spec:
  host: user-service
  trafficPolicy:
    loadBalancer: { simple: LEAST_REQUEST }
    connectionPool: { tcp: { maxConnections: 10 }, http: { http1MaxPendingRequests: 5, maxRetries: 3 } }
    outlierDetection: { consecutive5xxErrors: 3, interval: 5s, baseEjectionTime: 10s, maxEjectionPercent: 50 }
  subsets: [{ name: v1, labels: { version: v1 } }]
`
const texts = existsSync(folder)
  ? readdirSync(folder)
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => readFileSync(join(folder, file), 'utf8'))
  : []
const documents: unknown[] = [OWN, ...texts]
  .flatMap((text) => parseAllDocuments(text))
  .map((document): unknown => document.toJS())
documents.push({
  clusters: [{ host: 'a', port: 1, subsets: [{ name: 's', labels: {} }], endpoints: [{ address: 'b:1' }] }],
})

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0,
    1e30,
    '',
    '*',
    '5s',
    '1h-',
    '\\',
    '(',
    {},
    [],
    [null],
    { exact: '(' },
    { regex: '(' },
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', 'constructor', 'toString').map((key) => Object.fromEntries([[key, 'x']])),
)

/** The value with one of its parts, found by `at`, made odd; or a key put in beside it. */
function mutate(value: unknown, at: number[], part: unknown, key: string | null): unknown {
  const [step = 0, ...rest] = at
  if (at.length === 0) return part
  if (Array.isArray(value) && value.length > 0) {
    return value.map((item: unknown, index) =>
      index === step % value.length ? mutate(item, rest, part, key) : item,
    )
  }
  if (!isRecord(value)) return part
  const entries = Object.entries(value)
  if (rest.length === 0 && key !== null) return Object.fromEntries([...entries, [key, part]])
  return Object.fromEntries(
    entries.map(([name, item], index) => [
      name,
      index === step % entries.length ? mutate(item, rest, part, key) : item,
    ]),
  )
}

test('whatever is written, a report comes back, and requests find an answer', () => {
  let errors = 0
  let usable = 0
  fc.assert(
    fc.property(
      fc.nat(documents.length - 1),
      fc.array(fc.nat(20), { maxLength: 8 }),
      odd,
      fc.option(fc.constantFrom('extra', '__proto__', 'spec', 'constructor', 'exact')),
      fc.constantFrom<'strict' | 'lenient'>('strict', 'lenient'),
      (index, at, part, key, mode) => {
        const text = stringify(mutate(documents[index], at, part, key), { aliasDuplicateObjects: false })
        const sources = [
          { file: 'a.yaml', text },
          { file: 'b.yaml', text: ENDPOINTS },
        ]
        const { policy, findings } = loadPolicy(sources, { mode })
        for (const finding of findings) {
          expect(finding.line).toBeGreaterThanOrEqual(1)
          expect(finding.line).toBeLessThanOrEqual(text.split('\n').length + 1)
          expect(finding.message).not.toBe('')
        }
        if (findings.some((finding) => finding.severity === 'error')) errors += 1
        for (const authority of ['user-service', 'legacy-service', '*', '']) {
          const head = {
            method: 'GET',
            path: '/api/v1/x?y',
            authority,
            scheme: 'http' as const,
            header: () => 'x',
          }
          const decision = matchRoute(policy, head, () => 0.5)
          if (decision.kind === 'forward') usable += 1
        }
      },
    ),
    { numRuns: 1500 },
  )
  expect(errors).toBeGreaterThan(100)
  expect(usable).toBeGreaterThan(100)
})

test('text that is no YAML at all is a finding', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      expect(Array.isArray(loadPolicy([{ file: 'x', text }]).findings)).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

test('an alias bomb is a finding', () => {
  const text = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`
  expect(loadPolicy([{ file: 'x', text }]).findings.map((finding) => finding.code)).toEqual(['YAML_INVALID'])
})
