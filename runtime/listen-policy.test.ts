import { describe, expect, test } from 'vitest'
import { assertMayListen, isLoopback } from './listen-policy.ts'

describe('a loopback address', () => {
  test.each(['127.0.0.1', '127.8.9.1', '::1', '[::1]', '0:0:0:0:0:0:0:1', 'localhost', '::ffff:127.0.0.1'])(
    '%s is one',
    (host) => expect(isLoopback(host)).toBe(true),
  )
  test.each(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'example.org', '127.0.0.1.example.org', '', '::11'])(
    '%s is none',
    (host) => expect(isLoopback(host)).toBe(false),
  )
})

describe('listening beyond loopback', () => {
  const open = {
    name: 'http',
    host: '0.0.0.0',
    hasTokens: false,
    hasClientCertificates: false,
    isInsecureMeant: false,
  }
  test('is refused unprotected', () => {
    expect(() => assertMayListen(open)).toThrow(/Cannot listen on 0\.0\.0\.0 \(http\): .*insecure: true/)
  })
  test.each([
    { hasTokens: true },
    { hasClientCertificates: true },
    { isInsecureMeant: true },
    { host: '127.0.0.1' },
  ])('is allowed with %o', (protection) => {
    expect(() => assertMayListen({ ...open, ...protection })).not.toThrow()
  })
})
