import type { Labels } from './labels.ts'

/**
 * Alertmanager's fingerprint of labels: FNV-1a, 64 bits, over `name 0xFF value 0xFF …` in the order of the names' bytes,
 * as 16 lower-case hex digits (prometheus/common model/signature.go).
 */
export function fingerprint(labels: Labels): string {
  // Four limbs of 16 bits; the prime is 2^40 + 0x1b3.
  let h0 = 0x2325
  let h1 = 0x8422
  let h2 = 0x9ce4
  let h3 = 0xcbf2
  const add = (byte: number) => {
    h0 ^= byte
    const t0 = h0 * 0x1b3
    const t1 = h1 * 0x1b3 + (t0 >>> 16)
    const t2 = h2 * 0x1b3 + (h0 << 8) + (t1 >>> 16)
    const t3 = h3 * 0x1b3 + (h1 << 8) + (t2 >>> 16)
    h0 = t0 & 0xffff
    h1 = t1 & 0xffff
    h2 = t2 & 0xffff
    h3 = t3 & 0xffff
  }
  for (const text of labels) {
    for (const byte of Buffer.from(text, 'utf8')) add(byte)
    add(0xff)
  }
  return [h3, h2, h1, h0].map((limb) => limb.toString(16).padStart(4, '0')).join('')
}
