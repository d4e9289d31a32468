import { Registry } from 'prom-client'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { httpConfig } from '../runtime/config.ts'
import { createHttpServer } from '../runtime/http-server.ts'
import { silentLogger } from '../runtime/logger.ts'
import { createTokenAccess } from '../runtime/token-file.ts'
import { closeApi, listenApi } from './start-api.ts'

const config = httpConfig.parse({ port: 0 })
let release = () => {}

afterEach(() => release())

/** An API with a request that answers when it is released. */
async function slowApi() {
  const app = createHttpServer({
    access: createTokenAccess({ tokensFile: null }),
    tls: null,
    clock: systemClock,
    logger: silentLogger(),
    registry: new Registry(),
  })
  const arrived = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  release = () => released.resolve()
  const aborted = Promise.withResolvers<void>()
  app.get('/slow', async (request) => {
    request.abortSignal.addEventListener('abort', () => aborted.resolve())
    arrived.resolve()
    await released.promise
    return { done: true }
  })
  const url = await listenApi(app, config)
  return { app, url, arrived: arrived.promise, aborted: aborted.promise }
}

describe('closing the API', () => {
  test('finishes a request that runs and takes no new ones', async () => {
    const { app, url, arrived } = await slowApi()
    const answer = fetch(`${url}/slow`)
    await arrived
    const closed = closeApi(app, 60_000)
    await refusesNewRequests(url)
    release()
    expect(await (await answer).json()).toEqual({ done: true })
    await closed
  })

  test('cuts off what is not done when the time is over, and tells the handler', async () => {
    const { app, url, arrived, aborted } = await slowApi()
    const answer = fetch(`${url}/slow`).then(
      () => 'answered',
      () => 'cut off',
    )
    await arrived
    await closeApi(app, 1)
    expect(await answer).toBe('cut off')
    await aborted
  })
})

/** Resolves once a new request is refused: closing begins a few turns after it is asked for. */
async function refusesNewRequests(url: string): Promise<void> {
  for (;;) {
    const status = await fetch(`${url}/other`).then(
      (answer) => answer.status,
      () => 0,
    )
    if (status === 0 || status === 503) return
  }
}

test('an address that this machine does not have', async () => {
  const { app } = await slowApi()
  await app.close()
  const other = createHttpServer({
    access: createTokenAccess({ tokensFile: null }),
    tls: null,
    clock: systemClock,
    logger: silentLogger(),
    registry: new Registry(),
  })
  await expect(listenApi(other, { ...config, host: '192.0.2.1' })).rejects.toMatchObject({
    code: 'CANNOT_START',
    message: expect.stringMatching(
      /^Cannot listen on 192\.0\.2\.1:0 \(http\): this machine has no such address$/,
    ),
  })
  await other.close()
})
