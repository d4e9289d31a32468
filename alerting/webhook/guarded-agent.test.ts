import type { lookup } from 'node:dns'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DestinationPolicy, refusalOf } from './destination-policy.ts'
import { createGuardedAgent } from './guarded-agent.ts'

const OPEN: DestinationPolicy = { isPrivateAllowed: true, allow: [], deny: [] }
const STRICT: DestinationPolicy = { isPrivateAllowed: false, allow: [], deny: [] }

describe('the destination policy', () => {
  test.each([
    ['93.184.216.34', STRICT, null],
    ['2606:2800:220:1:248:1893:25c8:1946', STRICT, null],
    ['127.0.0.1', STRICT, '127.0.0.1 is a private address'],
    ['10.1.2.3', STRICT, '10.1.2.3 is a private address'],
    ['100.64.0.1', STRICT, '100.64.0.1 is a private address'],
    ['::1', STRICT, '::1 is a private address'],
    ['fd00::8', STRICT, 'fd00::8 is a private address'],
    ['::ffff:127.0.0.1', STRICT, '::ffff:127.0.0.1 is a private address'],
    ['10.1.2.3', OPEN, null],
    ['::1', OPEN, null],
    ['169.254.169.254', OPEN, '169.254.169.254 is a linkLocal address'],
    ['::ffff:169.254.169.254', OPEN, '::ffff:169.254.169.254 is a linkLocal address'],
    ['fe80::1', OPEN, 'fe80::1 is a linkLocal address'],
    ['fd00:ec2::254', OPEN, 'fd00:ec2::254 is a metadata service'],
    ['100.100.100.200', OPEN, '100.100.100.200 is a metadata service'],
    ['64:ff9b::7f00:1', OPEN, '64:ff9b::7f00:1 is a rfc6052 address'],
    ['0.0.0.0', OPEN, '0.0.0.0 is a unspecified address'],
    ['255.255.255.255', OPEN, '255.255.255.255 is a broadcast address'],
    ['224.0.0.1', OPEN, '224.0.0.1 is a multicast address'],
    ['nonsense', OPEN, 'nonsense is not an address'],
    ['10.1.2.3', { ...OPEN, deny: ['10.0.0.0/8'] }, '10.1.2.3 is in a network that is denied'],
    ['10.1.2.3', { ...STRICT, allow: ['10.1.0.0/16'], deny: ['10.0.0.0/8'] }, null],
    ['169.254.169.254', { ...STRICT, allow: ['169.254.169.254/32'] }, null],
  ])('%s', (address, policy, expected) => {
    expect(refusalOf(address, policy)).toBe(expected)
  })
})

describe('a guarded agent', () => {
  let server: Server
  let port = 0
  let requests = 0
  beforeAll(async () => {
    server = createServer((_request, response) => {
      requests++
      response.end('ok')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => server.close())

  async function ask(host: string, policy: DestinationPolicy, resolve?: string): Promise<number> {
    const fake = ((_name: string, _options: object, callback: (error: null, found: object[]) => void) =>
      callback(null, [{ address: resolve, family: 4 }])) as unknown as typeof lookup
    const agent = createGuardedAgent({
      policy,
      connectTimeoutMs: 5000,
      ...(resolve === undefined ? {} : { lookup: fake }),
    })
    try {
      const answer = await request(`http://${host}:${port}/`, { dispatcher: agent })
      await answer.body.dump()
      return answer.statusCode
    } finally {
      await agent.close()
    }
  }

  test('reaches what is allowed, by address and by name', async () => {
    expect(await ask('127.0.0.1', OPEN)).toBe(200)
    expect(await ask('localhost', OPEN)).toBe(200)
    expect(await ask('receiver.example', OPEN, '127.0.0.1')).toBe(200)
  })

  test.each(['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '[::ffff:127.0.0.1]', 'localhost'])(
    'does not reach loopback as %s when it is not allowed',
    async (host) => {
      const before = requests
      await expect(ask(host, STRICT)).rejects.toThrow(/is a private address/)
      expect(requests).toBe(before)
    },
  )

  test('does not reach a name that points inside', async () => {
    await expect(ask('harmless.example', STRICT, '127.0.0.1')).rejects.toThrow(
      'harmless.example: 127.0.0.1 is a private address',
    )
    await expect(ask('harmless.example', OPEN, '169.254.169.254')).rejects.toThrow('is a linkLocal address')
  })
})
