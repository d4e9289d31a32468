import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'data/**'],
    setupFiles: ['test/support/fix-seeds.ts'],
    // The engine is a native library with process-wide state: each file gets a process of its own.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A busy machine is no failure.
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: 2,
  },
})
