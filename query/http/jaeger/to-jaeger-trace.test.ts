import { expect, test } from 'vitest'
import { SAMPLE_TRACE } from '../../../test/support/sample-trace.ts'
import type { Span } from '../../traces/trace.ts'
import { toJaegerTrace } from './to-jaeger-trace.ts'

const [ROOT] = SAMPLE_TRACE.spans as [Span]

test('a trace in the exact form of the older model', () => {
  expect(toJaegerTrace(SAMPLE_TRACE)).toEqual({
    traceID: '0af7651916cd43dd8448eb211c80319c',
    spans: [
      {
        traceID: '0af7651916cd43dd8448eb211c80319c',
        spanID: 'b7ad6b7169203331',
        flags: 1,
        operationName: 'GET /cart',
        references: [
          {
            refType: 'FOLLOWS_FROM',
            traceID: '11111111111111111111111111111111',
            spanID: '2222222222222222',
          },
        ],
        startTime: 1763625600123456,
        duration: 250000,
        tags: [
          { key: 'otel.scope.name', type: 'string', value: 'http' },
          { key: 'otel.scope.version', type: 'string', value: '1.2.3' },
          { key: 'text', type: 'string', value: 'naïve ☕' },
          { key: 'text.empty', type: 'string', value: '' },
          { key: 'yes', type: 'bool', value: true },
          { key: 'no', type: 'bool', value: false },
          { key: 'int', type: 'int64', value: 200 },
          { key: 'int.zero', type: 'int64', value: 0 },
          { key: 'int.min', type: 'int64', value: '-9223372036854775808' },
          { key: 'int.max', type: 'int64', value: '9223372036854775807' },
          { key: 'double', type: 'float64', value: 0.1 },
          { key: 'double.nan', type: 'float64', value: 'NaN' },
          { key: 'bytes', type: 'binary', value: 'AAEC/w==' },
          { key: 'array', type: 'string', value: '["a",9007199254740993,null]' },
          { key: 'map', type: 'string', value: '{"inner":[true],"bytes":"/w=="}' },
          { key: 'empty', type: 'string', value: '' },
          { key: 'span.kind', type: 'string', value: 'server' },
          { key: 'w3c.tracestate', type: 'string', value: 'vendor=value,other=1' },
        ],
        logs: [
          {
            timestamp: 1763625600124456,
            fields: [
              { key: 'event', type: 'string', value: 'cache.miss' },
              { key: 'key', type: 'string', value: 'cart:7' },
            ],
          },
        ],
        processID: 'p1',
        warnings: [
          'the sender dropped 3 attributes of this span',
          'the sender dropped 5 events of this span',
          'the sender dropped 7 links of this span',
        ],
      },
      {
        traceID: '0af7651916cd43dd8448eb211c80319c',
        spanID: 'c8be7c827a314442',
        operationName: 'POST checkout',
        references: [
          {
            refType: 'CHILD_OF',
            traceID: '0af7651916cd43dd8448eb211c80319c',
            spanID: 'b7ad6b7169203331',
          },
        ],
        startTime: 1763625600128456,
        duration: 200000,
        tags: [
          { key: 'otel.scope.name', type: 'string', value: 'http' },
          { key: 'otel.scope.version', type: 'string', value: '1.2.3' },
          { key: 'http.response.status_code', type: 'int64', value: 503 },
          { key: 'span.kind', type: 'string', value: 'client' },
          { key: 'otel.status_code', type: 'string', value: 'ERROR' },
          { key: 'error', type: 'bool', value: true },
          { key: 'otel.status_description', type: 'string', value: 'upstream said 503' },
        ],
        logs: [],
        processID: 'p1',
        warnings: null,
      },
      {
        traceID: '0af7651916cd43dd8448eb211c80319c',
        spanID: 'd9cf8d938b425553',
        operationName: 'POST',
        references: [
          {
            refType: 'CHILD_OF',
            traceID: '0af7651916cd43dd8448eb211c80319c',
            spanID: 'c8be7c827a314442',
          },
        ],
        startTime: 1763625600129456,
        duration: 0,
        tags: [
          { key: 'http.response.status_code', type: 'int64', value: 503 },
          { key: 'span.kind', type: 'string', value: 'server' },
          { key: 'error', type: 'bool', value: true },
        ],
        logs: [],
        processID: 'p2',
        warnings: ['the span ends 1000 ns before it starts; its duration is shown as 0'],
      },
    ],
    processes: {
      p1: { serviceName: 'frontend', tags: [{ key: 'host.cpus', type: 'int64', value: 8 }] },
      p2: { serviceName: 'checkout', tags: [] },
    },
    warnings: null,
  })
})

test('an error attribute of the sender is not said twice', () => {
  const attributes = [{ key: 'error', value: { stringValue: 'timeout' } }]
  const { spans } = toJaegerTrace({
    ...SAMPLE_TRACE,
    spans: [{ ...ROOT, attributes, isError: true, status: { code: 'error', message: '' } }],
  })
  expect(spans[0]?.tags.filter(({ key }) => key === 'error')).toEqual([
    { key: 'error', type: 'string', value: 'timeout' },
  ])
})

test('equal resources are one process, also when they are not the same object', () => {
  const other = { ...ROOT, resource: { ...ROOT.resource } }
  expect(Object.keys(toJaegerTrace({ ...SAMPLE_TRACE, spans: [ROOT, other] }).processes)).toEqual(['p1'])
})

test('a trace that was cut says so', () => {
  expect(toJaegerTrace({ ...SAMPLE_TRACE, isTruncated: true }).warnings).toEqual([
    'the trace has more spans than one answer may carry; these are the first 3',
  ])
})
