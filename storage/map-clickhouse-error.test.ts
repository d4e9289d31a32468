import { describe, expect, test } from 'vitest'
import { AppError } from '../runtime/errors.ts'
import { mapClickHouseError } from './map-clickhouse-error.ts'

function answer(code: string, message = 'Some text. More text\nsecond line'): Error {
  return Object.assign(new Error(message), { code })
}

function network(code: string): Error {
  return new Error('fetch failed', { cause: Object.assign(new Error('low level'), { code }) })
}

describe('mapClickHouseError', () => {
  test.each<[string, boolean, string, string]>([
    ['159', true, 'QUERY_TIMEOUT', 'it takes longer than the time limit of a query'],
    ['159', false, 'STORAGE_UNAVAILABLE', 'ClickHouse is too slow at the moment'],
    ['241', true, 'RESULT_TOO_LARGE', 'it needs more memory than a query may use'],
    ['241', false, 'STORAGE_UNAVAILABLE', 'ClickHouse has not enough memory at the moment'],
    ['396', true, 'RESULT_TOO_LARGE', 'the result has more rows than a query may return'],
    ['158', true, 'RESULT_TOO_LARGE', 'it reads more rows than a query may'],
    ['516', true, 'STORAGE_UNAVAILABLE', 'ClickHouse refuses the user name or password'],
    ['243', false, 'STORAGE_UNAVAILABLE', 'the disk is full'],
    ['252', false, 'STORAGE_UNAVAILABLE', 'ClickHouse has too many unmerged parts at the moment'],
    ['62', true, 'INTERNAL', 'ClickHouse says Some text. More text (code 62)'],
    ['394', true, 'CANCELLED', 'the query was cancelled'],
  ])('ClickHouse code %s, read %s: %s', (code, isRead, expected, reason) => {
    expect(mapClickHouseError(answer(code), 'do it', isRead)).toMatchObject({
      code: expected,
      message: `Cannot do it: ${reason}`,
      details: { clickhouseCode: Number(code) },
    })
  })

  test.each(['75', '76', '1001'])('a full disk is met under many numbers: %s', (code) => {
    const error = mapClickHouseError(
      answer(code, 'Cannot write to file: , errno: 28, strerror: No space left on device'),
      'do it',
      false,
    )
    expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE', message: 'Cannot do it: the disk is full' })
  })

  test.each([
    ['ECONNREFUSED', 'ClickHouse refuses the connection'],
    ['ENOTFOUND', 'the name of the ClickHouse server cannot be resolved'],
    ['ECONNRESET', 'ClickHouse closed the connection'],
    ['ENOSPC', 'the disk is full'],
    ['EWHATEVER', 'fetch failed'],
  ])('%s of the network or the disk', (code, reason) => {
    expect(mapClickHouseError(network(code), 'do it', true)).toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: `Cannot do it: ${reason}`,
    })
  })

  test('what is ours already stays, but a write that times out is an outage', () => {
    const cancelled = new AppError('CANCELLED', 'gone')
    expect(mapClickHouseError(cancelled, 'do it', true)).toBe(cancelled)
    const late = new AppError('QUERY_TIMEOUT', 'late')
    expect(mapClickHouseError(late, 'do it', true)).toBe(late)
    expect(mapClickHouseError(late, 'do it', false).code).toBe('STORAGE_UNAVAILABLE')
  })
})
