import { Counter, Histogram, type Registry } from 'prom-client'
import type { Clock } from '../runtime/clock.ts'
import { AppError } from '../runtime/errors.ts'

/** What storage counts about itself. */
export interface StorageMetrics {
  /** Runs `work` and records how long it took and with which error code it ended. */
  observe<T>(operation: 'select' | 'insert' | 'command', name: string, work: () => Promise<T>): Promise<T>
}

/** Registers `meshwatch_storage_duration_seconds{operation,name}` and `meshwatch_storage_failed_total{operation,name,code}`. */
export function createStorageMetrics(registry: Registry, clock: Clock): StorageMetrics {
  const duration = new Histogram({
    name: 'meshwatch_storage_duration_seconds',
    help: 'Duration of statements sent to ClickHouse, waiting for a free session included',
    labelNames: ['operation', 'name'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  const failed = new Counter({
    name: 'meshwatch_storage_failed_total',
    help: 'Statements that ClickHouse did not answer, by error code',
    labelNames: ['operation', 'name', 'code'],
    registers: [registry],
  })
  return {
    async observe(operation, name, work) {
      const started = clock.monotonic()
      try {
        return await work()
      } catch (error) {
        failed.inc({ operation, name, code: error instanceof AppError ? error.code : 'INTERNAL' })
        throw error
      } finally {
        duration.observe({ operation, name }, (clock.monotonic() - started) / 1000)
      }
    },
  }
}
