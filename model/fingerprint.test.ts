import { expect, test } from 'vitest'
import { fingerprint } from './fingerprint.ts'
import { labelsFrom } from './labels.ts'

test.each([
  [{}, 'cbf29ce484222325'],
  [{ foo: 'bar' }, '3fff2c2d7595e046'],
  [{ name: 'garland, briggs', fear: 'love is not enough' }, 5799056148416392346n.toString(16)],
  [
    {
      alertname: 'MeshHighErrorRate',
      cluster: 'eu-1',
      destination_service: 'checkout',
      severity: 'page',
      source_service: 'web',
    },
    '429e47dc9b3c53a6',
  ],
])('the fingerprint of %j is %s', (labels, expected) => {
  expect(fingerprint(labelsFrom(Object.entries(labels)))).toBe(expected)
})

test('agrees with the definition in big integers', () => {
  const labels = labelsFrom([
    ['ü', '\u{1f600}'],
    ['a', 'x'.repeat(300)],
  ])
  let hash = 0xcbf29ce484222325n
  for (const byte of labels.flatMap((text) => [...Buffer.from(text), 0xff])) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  }
  expect(fingerprint(labels)).toBe(hash.toString(16).padStart(16, '0'))
})
