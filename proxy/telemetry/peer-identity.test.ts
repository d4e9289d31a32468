import { describe, expect, test } from 'vitest'
import { createPeerReader, formatPeer, UNKNOWN_PEER } from './peer-identity.ts'

const CART = { service: 'cart', namespace: 'shop', workload: 'cart-v1', app: 'cart & co', version: '1=2' }

describe('the header by which proxies know each other', () => {
  test('is read as it was written', () => {
    const read = createPeerReader()
    expect(read(formatPeer(CART))).toEqual(CART)
    expect(read(formatPeer(CART))).toBe(read(formatPeer(CART)))
  })

  test.each([
    ['absent', undefined],
    ['too long', `service=${'x'.repeat(600)}`],
  ])('%s: nobody', (_name, value) => {
    expect(createPeerReader()(value)).toBe(UNKNOWN_PEER)
  })

  test('what it does not say is empty; what it says beside is not believed', () => {
    expect(createPeerReader()('service=cart&admin=yes&__proto__=x')).toEqual({
      ...UNKNOWN_PEER,
      service: 'cart',
    })
  })
})
