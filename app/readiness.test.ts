import { expect, test } from 'vitest'
import { readReadiness } from './readiness.ts'

test('ready when everything is; what throws is not', async () => {
  const good = { storage: async () => ({ isReady: true, version: '26' }) }
  expect(await readReadiness(good)).toEqual({
    isReady: true,
    dependencies: { storage: { isReady: true, version: '26' } },
  })
  const broken = () => {
    throw new Error('gone')
  }
  expect(await readReadiness({ ...good, ingest: broken })).toMatchObject({
    isReady: false,
    dependencies: { storage: { isReady: true }, ingest: { isReady: false, reason: 'gone' } },
  })
})
