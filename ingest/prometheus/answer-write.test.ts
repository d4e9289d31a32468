import { pino } from 'pino'
import { Registry } from 'prom-client'
import { compressSync } from 'snappy'
import { beforeEach, expect, test } from 'vitest'
import { AppError } from '../../runtime/errors.ts'
import { refusalsOf } from '../../test/support/refusals-of.ts'
import { createRefusals, type Refusals } from '../create-refusals.ts'
import { createByteBudget } from '../receivers/byte-budget.ts'
import { answerWrite, type WriteAnswer } from './answer-write.ts'
import { createUnsnappy } from './unsnappy.ts'
import type { WriteSink } from './write-sink.ts'

const MESSAGE = Buffer.alloc(1000, 7)
const V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request'
const ALL = { samples: 3, histograms: 2, exemplars: 1, rejected: 0, message: '' }

let registry: Registry
let refusals: Refusals
beforeEach(() => {
  registry = new Registry()
  refusals = createRefusals(registry)
})

function answer(
  acceptWrite: WriteSink['acceptWrite'],
  contentType: string | undefined = undefined,
  budget = createByteBudget(10_000),
  body: Uint8Array = compressSync(MESSAGE),
): Promise<WriteAnswer> {
  const options = {
    sink: { acceptWrite },
    unsnappy: createUnsnappy(),
    maxMessageBytes: 5000,
    logger: pino({ level: 'silent' }),
    refusals,
  }
  const request = { tenant: 'shop', contentType, contentEncoding: 'snappy', body }
  return answerWrite(options, request, budget.lease())
}

const written = (samples: number, histograms: number, exemplars: number) => ({
  'x-prometheus-remote-write-samples-written': String(samples),
  'x-prometheus-remote-write-histograms-written': String(histograms),
  'x-prometheus-remote-write-exemplars-written': String(exemplars),
})

test('the sink gets version, tenant and the message; 2.0 is told what was written', async () => {
  const calls: unknown[] = []
  const sink: WriteSink['acceptWrite'] = async (version, tenant, message) => {
    calls.push([version, tenant, Buffer.from(message)])
    return ALL
  }
  expect(await answer(sink)).toEqual({ status: 204, headers: {}, body: '' })
  expect(await answer(sink, V2)).toEqual({ status: 204, headers: written(3, 2, 1), body: '' })
  expect(calls).toEqual([
    [1, 'shop', MESSAGE],
    [2, 'shop', MESSAGE],
  ])
})

test('what was refused in part is told with 400, beside what was written', async () => {
  const result = { ...ALL, rejected: 4, message: 'Cannot take 4 samples: …' }
  expect(await answer(async () => result, V2)).toEqual({
    status: 400,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...written(3, 2, 1) },
    body: 'Cannot take 4 samples: …\n',
  })
})

test('what is to come again says when', async () => {
  const full = async () => {
    throw new AppError('JOURNAL_FULL', 'Cannot take the message: the journal is full', { retryAfterMs: 4500 })
  }
  expect(await answer(full, V2)).toEqual({
    status: 503,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '5', ...written(0, 0, 0) },
    body: 'Cannot take the message: the journal is full\n',
  })
  // What the sink refuses it counts itself.
  expect(await refusalsOf(registry)).toEqual({})
})

test('what nobody expected is told without its text', async () => {
  const broken = async () => {
    throw new Error('secret')
  }
  expect(await answer(broken)).toMatchObject({
    status: 500,
    body: 'Cannot take the message: internal error\n',
  })
})

test('what a message becomes is taken from the budget', async () => {
  const budget = createByteBudget(1500)
  const other = budget.lease()
  other.take(1000)
  expect(await answer(async () => ALL, undefined, budget)).toMatchObject({
    status: 503,
    headers: { 'retry-after': '1' },
  })
  expect(await refusalsOf(registry)).toEqual({ 'metrics overloaded': 1 })
  other.release()
  expect(await answer(async () => ALL, undefined, budget)).toMatchObject({ status: 204 })
})

test.each<[string, string | undefined, Uint8Array | undefined, object]>([
  ['no Snappy', undefined, Buffer.from([255, 255]), { 'metrics malformed': 1 }],
  ['a bomb', V2, compressSync(Buffer.alloc(6000)), { 'metrics too_large': 1 }],
  ['another type', 'application/json', undefined, { 'metrics unsupported': 1 }],
])('counts what it refuses: %s', async (_, contentType, body, counted) => {
  const sink = async () => ALL
  expect((await answer(sink, contentType, createByteBudget(10_000), body)).status).toBeGreaterThanOrEqual(400)
  expect(await refusalsOf(registry)).toEqual(counted)
})
