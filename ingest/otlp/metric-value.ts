import type { Interner } from '../native/interner.ts'
import type { MetricColumns } from './metric-blocks.ts'

/** What a point's value is: `i` an int64, `d` a double, `e` neither was sent. */
export type ValueKind = 'i' | 'd' | 'e'

/** Kind letters as bytes, for the interner. */
const LETTERS = Buffer.from('ide')

const halves = new DataView(new ArrayBuffer(8))

/** Appends a value given as two halves. An int64 is kept exactly and beside it as its nearest double. */
export function pushValue(
  columns: Pick<MetricColumns['points'], 'value_kind' | 'value' | 'int_value'>,
  text: Interner,
  kind: ValueKind,
  low: number,
  high: number,
): void {
  const at = kind === 'i' ? 0 : kind === 'd' ? 1 : 2
  columns.value_kind.push(text.intern(LETTERS, at, at + 1))
  if (kind === 'd') {
    columns.value.pushUint64(low, high)
    columns.int_value.pushZero()
  } else if (kind === 'i') {
    // The product is exact, so the sum is rounded once.
    halves.setFloat64(0, (high | 0) * 0x100000000 + low)
    columns.value.pushUint64(halves.getUint32(4), halves.getUint32(0))
    columns.int_value.pushUint64(low, high)
  } else {
    columns.value.pushZero()
    columns.int_value.pushZero()
  }
}
