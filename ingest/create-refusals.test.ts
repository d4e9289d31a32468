import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { AppError, ERROR_CODES, type ErrorCode } from '../runtime/errors.ts'
import { refusalsOf } from '../test/support/refusals-of.ts'
import { createRefusals, MESSAGE_REASONS } from './create-refusals.ts'

test('each message counts once, by a reason of a list that ends', async () => {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[]
  const reasons = new Set<string>()
  for (const code of codes) {
    const registry = new Registry()
    createRefusals(registry).message('logs', new AppError(code, 'Cannot take the message: …'))
    const [counted, ...more] = Object.entries(await refusalsOf(registry))
    expect(more).toEqual([])
    const isRefusal = !['NOT_FOUND', 'METHOD_NOT_ALLOWED', 'CANCELLED'].includes(code)
    expect([code, counted?.[1]]).toEqual([code, isRefusal ? 1 : undefined])
    if (counted !== undefined) reasons.add(counted[0].replace('logs ', ''))
  }
  expect([...reasons].sort()).toEqual([...MESSAGE_REASONS].sort())
})

test('what nobody expected is an internal one', async () => {
  const registry = new Registry()
  createRefusals(registry).message('traces', new TypeError('x is not a function'))
  expect(await refusalsOf(registry)).toEqual({ 'traces internal': 1 })
})
