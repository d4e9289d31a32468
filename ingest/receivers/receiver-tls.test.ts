import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChannelCredentials, Client, credentials, Metadata } from '@grpc/grpc-js'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { silentLogger } from '../../runtime/logger.ts'
import { readTls, type TlsMaterial } from '../../runtime/tls.ts'
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
  let renewedFiles: Certificates
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

  test('over HTTP renews its certificates, and connections that are open go on', async () => {
    receiver = createOtlpHttp(options)
    const url = await receiver.listen('127.0.0.1', 0)
    const [old, renewed] = [clientOf(files), clientOf(renewCertificates())]
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    expect(await post(url, { ...old, agent })).toBe(200)
    await expect(post(url, renewed)).rejects.toThrow()
    receiver.renewTls(renewedTls())
    expect(await post(url, renewed)).toBe(200)
    expect(await post(url, { ...old, agent })).toBe(200)
    await expect(post(url, old)).rejects.toThrow()
    agent.destroy()
    expect(sink.messages.length).toBe(3)
  })

  test('over gRPC renews its certificates, and connections that are open go on', async () => {
    receiver = createOtlpGrpc(options)
    const address = await receiver.listen('127.0.0.1', 0)
    const secured = ({ ca, key, cert }: ReturnType<typeof clientOf>) => credentials.createSsl(ca, key, cert)
    const [old, renewed] = [clientOf(files), clientOf(renewCertificates())]
    const open = connectTo(address, secured(old))
    await sendBy(open)
    await expect(send(address, secured(renewed))).rejects.toThrow(/UNAVAILABLE/)
    receiver.renewTls(renewedTls())
    await send(address, secured(renewed))
    await sendBy(open)
    open.close()
    await expect(send(address, secured(old))).rejects.toThrow(/UNAVAILABLE/)
    expect(sink.messages.length).toBe(3)
  })

  function renewCertificates(): Certificates {
    const folder = join(dir, 'renewed')
    mkdirSync(folder)
    renewedFiles = makeCertificates(folder)
    return renewedFiles
  }

  function renewedTls(): TlsMaterial {
    const { certFile, keyFile, caFile } = renewedFiles
    return readTls({ certFile, keyFile, clientCaFile: caFile })
  }
})

/** What a client shows and trusts. */
function clientOf({ caFile, clientCertFile, clientKeyFile }: Certificates) {
  return { ca: readFileSync(caFile), cert: readFileSync(clientCertFile), key: readFileSync(clientKeyFile) }
}

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
  const client = connectTo(address, how)
  await sendBy(client).finally(() => client.close())
}

/** Clients share connections to the same address, unless they are told not to. */
function connectTo(address: string, how: ChannelCredentials): Client {
  return new Client(address, how, { 'grpc.use_local_subchannel_pool': 1 })
}

async function sendBy(client: Client): Promise<void> {
  const identity = (bytes: Buffer): Buffer => bytes
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  client.makeUnaryRequest(SERVICE, identity, identity, Buffer.alloc(0), new Metadata(), (error) => {
    if (error === null) resolve()
    else reject(error)
  })
  await promise
}
