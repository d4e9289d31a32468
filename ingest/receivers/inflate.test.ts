import { randomBytes } from 'node:crypto'
import { constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../runtime/errors.ts'
import { type ContentEncoding, inflate, parseContentEncoding } from './inflate.ts'

const LIMIT = 1_000_000
const TEXT = Buffer.from('mesh '.repeat(5_000))

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof AppError ? error.code : `other: ${error}`
  }
  return 'none'
}

const COMPRESSIONS: readonly [string, ContentEncoding, (bytes: Buffer) => Buffer][] = [
  ['gzip', 'gzip', (bytes) => gzipSync(bytes)],
  ['zstd', 'zstd', (bytes) => zstdCompressSync(bytes)],
  ['deflate', 'deflate', (bytes) => deflateSync(bytes)],
  ['raw deflate', 'deflate', (bytes) => deflateRawSync(bytes)],
  ['identity', 'identity', (bytes) => bytes],
]

describe.each(COMPRESSIONS)('%s', (name, encoding, compress) => {
  test('gives back what was compressed, compressible or not', () => {
    const noise = randomBytes(300_000)
    expect(inflate(compress(TEXT), encoding, LIMIT).equals(TEXT)).toBe(true)
    expect(inflate(compress(noise), encoding, LIMIT).equals(noise)).toBe(true)
  })

  test.runIf(name !== 'identity')('is exact at the limit and refused one byte above it', () => {
    const body = compress(Buffer.alloc(LIMIT))
    expect(inflate(body, encoding, LIMIT).length).toBe(LIMIT)
    expect(codeOf(() => inflate(body, encoding, LIMIT - 1))).toBe('MESSAGE_TOO_LARGE')
  })

  test.runIf(name !== 'identity')('a cut or foreign body is malformed', () => {
    const body = compress(TEXT)
    expect(codeOf(() => inflate(body.subarray(0, body.length - 6), encoding, LIMIT))).toBe(
      'MALFORMED_MESSAGE',
    )
    expect(codeOf(() => inflate(Buffer.from('\xff\xfe no such thing'), encoding, LIMIT))).toBe(
      'MALFORMED_MESSAGE',
    )
  })

  test('an empty body is an empty message', () => {
    expect(inflate(Buffer.alloc(0), encoding, LIMIT).length).toBe(0)
  })
})

describe.each(COMPRESSIONS.slice(0, 2))('several members of %s', (_name, encoding, compress) => {
  test('are one message', () => {
    const body = Buffer.concat([compress(TEXT), compress(Buffer.from('and more')), compress(TEXT)])
    expect(inflate(body, encoding, LIMIT).toString()).toBe(`${TEXT}and more${TEXT}`)
  })

  test('share the limit', () => {
    const member = compress(Buffer.alloc(LIMIT / 2))
    expect(inflate(Buffer.concat([member, member]), encoding, LIMIT).length).toBe(LIMIT)
    const third = Buffer.concat([member, member, compress(Buffer.alloc(1))])
    expect(codeOf(() => inflate(third, encoding, LIMIT))).toBe('MESSAGE_TOO_LARGE')
  })

  test('with junk behind them are malformed', () => {
    expect(
      codeOf(() => inflate(Buffer.concat([compress(TEXT), Buffer.from('junk!junk!')]), encoding, LIMIT)),
    ).toBe('MALFORMED_MESSAGE')
  })
})

test('a bomb is refused long before it is inflated', () => {
  const bomb = gzipSync(Buffer.alloc(200_000_000), { level: 1 })
  const before = process.memoryUsage()
  expect(codeOf(() => inflate(bomb, 'gzip', LIMIT))).toBe('MESSAGE_TOO_LARGE')
  const after = process.memoryUsage()
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(20_000_000)
})

test('a zstd frame that wants a huge window is refused', () => {
  const body = zstdCompressSync(Buffer.alloc(20_000_000), { params: { [constants.ZSTD_c_windowLog]: 27 } })
  expect(codeOf(() => inflate(body, 'zstd', 64_000_000))).toBe('MALFORMED_MESSAGE')
})

test.each([
  [undefined, 'identity'],
  ['', 'identity'],
  [' GZIP ', 'gzip'],
  ['x-gzip', 'gzip'],
  ['zstd', 'zstd'],
  ['br', undefined],
  ['gzip, gzip', undefined],
])('Content-Encoding %j is %s', (header, encoding) => {
  expect(parseContentEncoding(header)).toBe(encoding)
})
