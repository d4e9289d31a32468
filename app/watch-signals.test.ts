import { afterEach, expect, test, vi } from 'vitest'
import { watchSignals } from './watch-signals.ts'

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

afterEach(() => {
  for (const signal of SIGNALS) process.removeAllListeners(signal)
})

test('the first signal stops, its echo is ignored, the next one counts', async () => {
  let now = 0
  const onSecond = vi.fn()
  const signals = watchSignals({ clock: { now: () => now, monotonic: () => now }, onSecond })
  process.emit('SIGINT')
  expect(await signals.stop).toBe('SIGINT')
  now = 100
  process.emit('SIGINT')
  expect(onSecond).not.toHaveBeenCalled()
  now = 101
  process.emit('SIGINT')
  expect(onSecond).toHaveBeenCalledWith('SIGINT')
})

test('SIGHUP reloads and stops nothing', () => {
  const reload = vi.fn()
  const onSecond = vi.fn()
  const signals = watchSignals({ clock: { now: () => 0, monotonic: () => 0 }, onSecond })
  process.emit('SIGHUP')
  signals.onReload(reload)
  process.emit('SIGHUP')
  expect(reload).toHaveBeenCalledTimes(1)
  expect(onSecond).not.toHaveBeenCalled()
})
