import { afterAll, beforeAll, expect, test } from 'vitest'
import { labelsFrom } from '../../../model/labels.ts'
import { type OpenFacades, openFacades } from '../../../test/support/open-facades.ts'
import { createSampleWriter } from '../../metrics/create-sample-writer.ts'

/** A Sunday, with which a week of the index begins. */
const NOW = Date.UTC(2026, 0, 4, 4)

let facades: OpenFacades
beforeAll(async () => {
  facades = await openFacades({ now: NOW })
  const series = (labels: Record<string, string>, timestampMs = NOW) => ({
    labels: labelsFrom(Object.entries(labels)),
    timestampMs,
    value: 1,
  })
  await createSampleWriter(facades.deps.storage).write(
    'default',
    [
      series({ __name__: 'up', job: 'a' }),
      series({ __name__: 'up', job: 'a' }, NOW - 86_400_000),
      series({ __name__: 'up', job: 'gone' }, NOW - 3 * 86_400_000),
      series({ __name__: 'up', job: 'b' }),
      series({ __name__: 'up', job: 'c' }),
      series({ __name__: 'requests', job: 'a', path: '/' }),
    ],
    'series',
  )
})
afterAll(() => facades.close())

test('status/tsdb has the form of Prometheus', async () => {
  const response = await facades.app.inject('/prometheus/api/v1/status/tsdb')
  expect(response.json()).toEqual({
    status: 'success',
    data: {
      headStats: {
        numSeries: 4,
        numLabelPairs: 6,
        chunkCount: 0,
        minTime: NOW - 86_400_000,
        maxTime: NOW,
      },
      seriesCountByMetricName: [
        { name: 'up', value: 3 },
        { name: 'requests', value: 1 },
      ],
      labelValueCountByLabelName: [
        { name: 'job', value: 3 },
        { name: '__name__', value: 2 },
        { name: 'path', value: 1 },
      ],
      memoryInBytesByLabelName: [
        { name: '__name__', value: 14 },
        { name: 'job', value: 4 },
        { name: 'path', value: 1 },
      ],
      seriesCountByLabelValuePair: [
        { name: '__name__=up', value: 3 },
        { name: 'job=a', value: 2 },
        { name: '__name__=requests', value: 1 },
        { name: 'job=b', value: 1 },
        { name: 'job=c', value: 1 },
        { name: 'path=/', value: 1 },
      ],
    },
  })
})

test('status/tsdb has as many entries as asked for', async () => {
  const response = await facades.app.inject('/prometheus/api/v1/status/tsdb?limit=1')
  expect(response.json()).toMatchObject({
    data: {
      seriesCountByMetricName: [{ name: 'up', value: 3 }],
      seriesCountByLabelValuePair: [{ name: '__name__=up', value: 3 }],
    },
  })
  const tooMany = await facades.app.inject('/prometheus/api/v1/status/tsdb?limit=10001')
  expect(tooMany.json()).toMatchObject({ status: 'error', errorType: 'bad_data' })
})
