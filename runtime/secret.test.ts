import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'
import { createLogger } from './logger.ts'
import { createSecret } from './secret.ts'

test('a secret is seen nowhere and revealed on demand', () => {
  const secret = createSecret('hunter2')
  const lines: string[] = []
  const logger = createLogger({
    level: 'info',
    isReadable: false,
    clock: systemClock,
    write: (line) => void lines.push(line),
  })
  logger.info({ secret, nested: { secret } })
  const views = [`${secret}`, JSON.stringify({ secret }), inspect({ secret }), inspect(secret), ...lines]
  expect(views.filter((view) => view.includes('hunter2'))).toEqual([])
  expect(views.filter((view) => !view.includes('<secret>'))).toEqual([])
  expect(secret.reveal()).toBe('hunter2')
})
