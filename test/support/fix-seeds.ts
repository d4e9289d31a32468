import { basename } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import { testSeed } from './test-seed.ts'

// Before each test file: fast-check draws the same each time, unless it is told otherwise.
fc.configureGlobal({ seed: testSeed(basename(expect.getState().testPath ?? 'fast-check')) })
