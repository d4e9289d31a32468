import { expect, test } from 'vitest'
import { decodeSegmentHeader, encodeSegmentHeader, type SegmentHeader } from './segment-header.ts'

const structure = [{ name: 'value', type: 'Float64' }]

test('a table that was replaced since the journal was written is loaded into its successor', () => {
  const tables = ['spans', 'metric_points', 'metric_summaries'].map((table) => ({ table, structure }))
  const written = encodeSegmentHeader({ journal: 'j', segment: 3, tables } as unknown as SegmentHeader)
  expect(decodeSegmentHeader(written)?.header.tables.map(({ table }) => table)).toEqual([
    'spans',
    'otlp_points',
    'otlp_summaries',
  ])
})

test('a table that was never there is none', () => {
  const tables = [{ table: 'constructor', structure }]
  const written = encodeSegmentHeader({ journal: 'j', segment: 3, tables } as unknown as SegmentHeader)
  expect(decodeSegmentHeader(written)).toBeNull()
})
