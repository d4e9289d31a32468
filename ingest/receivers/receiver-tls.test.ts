import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChannelCredentials, Client, credentials, Metadata } from '@grpc/grpc-js'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { silentLogger } from '../../runtime/logger.ts'
import { readTls } from '../../runtime/tls.ts'
import { type Certificates, hasOpenssl, makeCertificates } from '../../test/support/make-certificates.ts'
import { createRecordingSink, type RecordingSink } from '../../test/support/recording-sink.ts'
import { createRefusals } from '../create-refusals.ts'
import { createByteBudget } from './byte-budget.ts'
import { createOtlpGrpc } from './otlp-grpc.ts'
import { createOtlpHttp } from './otlp-http.ts'
import type { Receiver, ReceiverOptions } from './receiver.ts'
import { createReceiverMetrics } from './receiver-metrics.ts'

const SERVICE = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'

describe.skipIf(!hasOpenssl)('a receiver that asks for client certificates', () => {
  let dir: string
  let files: Certificates
  let options: ReceiverOptions
  let sink: RecordingSink
  let receiver: Receiver

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'meshwatch-tls-'))
    files = makeCertificates(dir)
    sink = createRecordingSink()
    const budget = createByteBudget(1_000_000)
    options = {
      sink,
      access: { isEnforced: false, authorize: () => ({ tenant: 'default' }) },
      budget,
      metrics: createReceiverMetrics(new Registry(), budget),
      refusals: createRefusals(new Registry()),
      maxMessageBytes: 1_000_000,
      tls: readTls({ certFile: files.certFile, keyFile: files.keyFile, clientCaFile: files.caFile }),
      logger: silentLogger(),
      clock: systemClock,
    }
  })
  afterEach(async () => {
    await receiver.close(0)
    rmSync(dir, { recursive: true })
  })

  test('over HTTP takes those who have one, and nobody else', async () => {
    receiver = createOtlpHttp(options)
    const url = await receiver.listen('127.0.0.1', 0)
    expect(url).toMatch(/^https:/)
    const ca = readFileSync(files.caFile)
    const own = { cert: readFileSync(files.clientCertFile), key: readFileSync(files.clientKeyFile) }
    expect(await post(url, { ca, ...own })).toBe(200)
    await expect(post(url, { ca })).rejects.toThrow()
    expect(sink.messages.length).toBe(1)
  })

  test('over gRPC takes those who have one, and nobody else', async () => {
    receiver = createOtlpGrpc(options)
    const address = await receiver.listen('127.0.0.1', 0)
    const ca = readFileSync(files.caFile)
    const own = credentials.createSsl(
      ca,
      readFileSync(files.clientKeyFile),
      readFileSync(files.clientCertFile),
    )
    await send(address, own)
    await expect(send(address, credentials.createSsl(ca))).rejects.toThrow(/UNAVAILABLE/)
    expect(sink.messages.length).toBe(1)
  })
})

async function post(url: string, tls: RequestOptions): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const headers = { 'content-type': 'application/x-protobuf' }
  const request = httpsRequest(
    `${url}/v1/traces`,
    { method: 'POST', headers, agent: false, ...tls },
    (response) => {
      response.resume()
      resolve(response.statusCode)
    },
  )
  request.on('error', reject)
  request.end()
  return await promise
}

async function send(address: string, how: ChannelCredentials): Promise<void> {
  const client = new Client(address, how)
  const identity = (bytes: Buffer): Buffer => bytes
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  client.makeUnaryRequest(SERVICE, identity, identity, Buffer.alloc(0), new Metadata(), (error) => {
    if (error === null) resolve()
    else reject(error)
  })
  await promise.finally(() => client.close())
}
