import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readNative } from '../../test/support/read-native.ts'
import { ArrayColumn } from './array-column.ts'
import { createBlock } from './block.ts'
import { FixedColumn } from './fixed-column.ts'
import { Interner } from './interner.ts'
import { LowCardinalityColumn } from './low-cardinality-column.ts'
import { MapColumn } from './map-column.ts'
import { StringColumn } from './string-column.ts'

interface Row {
  readonly text: string
  readonly fixed: number
  readonly list: readonly bigint[]
  readonly map: readonly (readonly [string, string])[]
}

const text = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'ü', '\u0000'),
  fc.string({ unit: 'binary', maxLength: 200 }).map((value) => value.toWellFormed()),
)
const row: fc.Arbitrary<Row> = fc.record({
  text,
  fixed: fc.integer({ min: 0, max: 0xffffffff }),
  list: fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { maxLength: 4 }),
  map: fc.array(fc.tuple(text, text), { maxLength: 4 }),
})
/** Messages of rows, each kept or taken back. */
const messages = fc.array(
  fc.record({ rows: fc.array(row, { minLength: 1, maxLength: 5 }), isKept: fc.boolean() }),
  {
    maxLength: 12,
  },
)

function newBlock() {
  const interner = new Interner(7)
  const columns = {
    plain: new StringColumn(),
    low: new LowCardinalityColumn(interner),
    fixed: new FixedColumn('UInt32', 4),
    list: new ArrayColumn('UInt64', 8),
    map: new MapColumn(interner),
  }
  const push = ({ text, fixed, list, map }: Row) => {
    const bytes = Buffer.from(text, 'utf8')
    columns.plain.pushUtf8(bytes, 0, bytes.length)
    columns.low.push(interner.internText(text))
    columns.fixed.pushUint32(fixed)
    for (const item of list) {
      columns.list.items.pushUint64(Number(item & 0xffff_ffffn), Number(item >> 32n))
    }
    columns.list.endRow()
    for (const [key, value] of map) {
      columns.map.keys.push(interner.internText(key))
      columns.map.values.pushText(value)
    }
    columns.map.endRow()
  }
  return { block: createBlock('spans', columns), columns, push }
}

function read(block: ReturnType<typeof newBlock>['block']) {
  if (block.rows() === 0) return []
  const size = block.byteLength()
  const target = Buffer.alloc(size + 1, 0xee)
  const end = block.writeTo(target, 0)
  expect(end).toBeLessThanOrEqual(size)
  return readNative(target.subarray(0, end))
}

describe('a block', () => {
  test('has the rows that were pushed and not taken back, batch after batch', () => {
    const { block, push } = newBlock()
    fc.assert(
      fc.property(messages, (batch) => {
        block.reset()
        for (const { rows, isKept } of batch) {
          block.mark()
          for (const each of rows) push(each)
          if (!isKept) block.rollback()
        }
        const kept = batch.flatMap(({ rows, isKept }) => (isKept ? rows : []))
        expect(read(block)).toEqual(
          kept.map(({ text, fixed, list, map }) => ({ plain: text, low: text, fixed, list, map })),
        )
      }),
      { numRuns: 300 },
    )
  })

  test('says which column has another number of rows', () => {
    const { block, columns, push } = newBlock()
    push({ text: '', fixed: 0, list: [], map: [] })
    columns.fixed.pushZero()
    expect(() => block.writeTo(Buffer.alloc(1000), 0)).toThrow('fixed has 2 rows, not 1')
  })
})

describe('strings', () => {
  const write = (push: (column: StringColumn) => void) => {
    const column = new StringColumn()
    push(column)
    const block = createBlock('spans', { column })
    const target = Buffer.alloc(block.byteLength())
    return readNative(target.subarray(0, block.writeTo(target, 0))).map((each) => each['column'])
  }

  test('of any bytes become valid UTF-8, as the Encoding Standard repairs it', () => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(200), (bytes, repeat) => {
        const long = Buffer.concat([Buffer.alloc(repeat, 'a'), bytes])
        const values = write((column) => {
          column.pushUtf8(long, 0, long.length)
          column.pushAscii('next')
        })
        expect(values).toEqual([decoder.decode(long), 'next'])
      }),
    )
  })

  test('keep a byte order mark when the rest is repaired', () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff])
    expect(write((column) => column.pushUtf8(bytes, 0, bytes.length))).toEqual(['\ufeffa\ufffd'])
  })

  test('of integers', () => {
    const values = [0, 1, 9, 10, 11, 99, 100, 999_999_999, 1_000_000_000, 2 ** 31 - 1]
    const written = write((column) => {
      for (const value of values) column.pushDecimal(value)
    })
    expect(written).toEqual(values.map(String))
  })

  test('can be taken back', () => {
    const values = write((column) => {
      column.pushText('kept')
      column.pushText('ü'.repeat(100))
      column.pop()
      column.pushEmpty()
      column.pop()
      column.pushText('end')
    })
    expect(values).toEqual(['kept', 'end'])
  })
})
