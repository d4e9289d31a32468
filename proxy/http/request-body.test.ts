import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { createRequestBody, MAX_REPLAY_BYTES } from './request-body.ts'

function message(headers: Record<string, string>): IncomingMessage {
  const request = new IncomingMessage(new Socket())
  Object.assign(request.headers, headers)
  return request
}

const chunked = () => message({ 'transfer-encoding': 'chunked' })

describe('the body of a request', () => {
  test.each([[{}], [{ 'content-length': '0' }]])('none with %j', (headers) => {
    const body = createRequestBody(message(headers))
    let isTold = false
    body.onComplete(() => {
      isTold = true
    })
    expect([body.open(), body.isComplete(), isTold]).toEqual([null, true, true])
  })

  test('comes to the second attempt from its beginning, also when the first was cut off in its middle', async () => {
    const request = chunked()
    const body = createRequestBody(request)
    const first = body.open() as Readable
    request.push('one ')
    await new Promise((resolve) => first.once('data', resolve))
    first.destroy()
    const second = body.open() as Readable
    const read = buffer(second)
    request.push('two')
    request.push(null)
    expect((await read).toString()).toBe('one two')
    expect(body.isComplete()).toBe(true)
    expect(body.open()?.toString()).toBe('one two')
  })

  test('is not read before an attempt wants it, and not beyond what an attempt takes', async () => {
    const request = chunked()
    const body = createRequestBody(request)
    request.push(Buffer.alloc(100))
    expect(body.size()).toBe(0)
    const stream = body.open() as Readable
    for (let i = 0; i < 64; i++) request.push(Buffer.alloc(64 * 1024))
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    expect(body.size()).toBeLessThan(1024 * 1024)
    stream.destroy()
  })

  test('is kept up to the limit and not a byte more', async () => {
    for (const [size, isTooLarge] of [
      [MAX_REPLAY_BYTES, false],
      [MAX_REPLAY_BYTES + 1, true],
    ] as const) {
      const request = chunked()
      const body = createRequestBody(request)
      const read = buffer(body.open() as Readable)
      request.push(Buffer.alloc(size))
      request.push(null)
      expect((await read).length).toBe(size)
      expect(body.isTooLarge()).toBe(isTooLarge)
    }
  })
})
