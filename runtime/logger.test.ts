import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'

const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6), monotonic: () => 0 }

function logged(isReadable: boolean, log: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = ''
  const write = (line: string) => {
    text += line
  }
  log(createLogger({ level: 'info', isReadable, clock, write }))
  return text
}

test('JSON starts with the level as a word and the fields of the call', () => {
  const text = logged(false, (logger) => logger.info({ event: 'ready', http: 'http://x' }))
  expect(text).toBe('{"level":"info","event":"ready","http":"http://x","time":"2026-01-02T03:04:05.006Z"}\n')
})

test('a line for people', () => {
  const text = logged(true, (logger) => logger.warn({ event: 'slow', ms: 12, name: 'a b' }, 'It took long'))
  expect(text).toBe('03:04:05.006 WARN  slow It took long ms=12 name=a b\n')
})

test('errors keep their stack, lower levels are not written', () => {
  const text = logged(false, (logger) => {
    logger.debug('no')
    logger.error({ err: new Error('broken') }, 'Oh')
  })
  const line = JSON.parse(text)
  expect(line).toMatchObject({ level: 'error', msg: 'Oh', err: { message: 'broken' } })
  expect(line.err.stack).toContain('logger.test')
})

test('what others write into names cannot forge lines or colours on a terminal', () => {
  const text = logged(true, (logger) => logger.info({ name: 'x\n00:00 ERROR fake\u001b[31m' }))
  expect(text.split('\n')).toHaveLength(2)
  expect(text).not.toContain('\u001b')
})
