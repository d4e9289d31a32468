import type { AnyValue, KeyValue } from '../../model/any-value.ts'

const VALUES: readonly (readonly [string, AnyValue])[] = [
  ['text', { stringValue: 'naïve ☕ \u0000 "quoted"' }],
  ['text.empty', { stringValue: '' }],
  ['yes', { boolValue: true }],
  ['no', { boolValue: false }],
  ['int.zero', { intValue: '0' }],
  ['int.small', { intValue: '2147483647' }],
  ['int.medium', { intValue: '4294967296' }],
  ['int.negative', { intValue: '-1' }],
  ['int.beyond.double', { intValue: '9007199254740993' }],
  ['int.min', { intValue: '-9223372036854775808' }],
  ['int.max', { intValue: '9223372036854775807' }],
  ['double', { doubleValue: 0.1 }],
  ['double.tiny', { doubleValue: 5e-324 }],
  ['double.huge', { doubleValue: 1.7976931348623157e308 }],
  ['double.negative.zero', { doubleValue: -0 }],
  ['double.nan', { doubleValue: 'NaN' }],
  ['double.inf', { doubleValue: 'Infinity' }],
  ['double.-inf', { doubleValue: '-Infinity' }],
  ['bytes', { bytesValue: 'AAEC/w==' }],
  ['bytes.empty', { bytesValue: '' }],
  ['array.empty', { arrayValue: { values: [] } }],
  [
    'array',
    {
      arrayValue: {
        values: [
          { stringValue: 'a"b' },
          { intValue: '-9223372036854775808' },
          { doubleValue: 'NaN' },
          { doubleValue: -0 },
          { bytesValue: '/w==' },
          { boolValue: false },
          {},
          { arrayValue: { values: [{ intValue: '1' }] } },
        ],
      },
    },
  ],
  [
    'map',
    {
      kvlistValue: {
        values: [
          { key: 'inner', value: { kvlistValue: { values: [{ key: 'ü', value: { intValue: '7' } }] } } },
          { key: '', value: {} },
        ],
      },
    },
  ],
  ['empty', {}],
  ['', { stringValue: 'under the empty key' }],
]
/** One attribute of every kind and edge: int64 and double bounds, non-finite doubles, negative zero, bytes, nested, empty, an empty key. */
export const EVERY_ATTRIBUTE: readonly KeyValue[] = VALUES.map(([key, value]) => ({ key, value }))
