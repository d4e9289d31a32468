import { expect, test } from 'vitest'
import { silentLogger } from '../runtime/logger.ts'
import { createShutdownStack } from './shutdown-stack.ts'

test('parts stop in reverse order, each once, whatever one of them does', async () => {
  const stack = createShutdownStack(silentLogger())
  const stopped: string[] = []
  stack.push('first', () => void stopped.push('first'))
  stack.push('broken', () => {
    throw new Error('no')
  })
  stack.push('last', async () => void stopped.push('last'))
  await Promise.all([stack.stopAll(), stack.stopAll()])
  await stack.stopAll()
  expect(stopped).toEqual(['last', 'first'])
})
