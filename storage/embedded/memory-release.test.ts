import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startMemoryRelease } from './memory-release.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('memory is given back after statements, every five seconds at most, and not while there are none', async () => {
  const purge = vi.fn(() => Promise.reject(new Error('not known to this engine')))
  const memory = startMemoryRelease(purge)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(purge).not.toHaveBeenCalled()
  memory.used()
  memory.used()
  await vi.advanceTimersByTimeAsync(4_999)
  expect(purge).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(purge).toHaveBeenCalledTimes(1)
  memory.used()
  memory.stop()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(purge).toHaveBeenCalledTimes(1)
})
