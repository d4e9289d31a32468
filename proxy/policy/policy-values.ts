import { z } from 'zod'

const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  ns: 0.000001,
}

/** Reads a duration as Istio takes it (Go's form, `1h30m`, `0.5s`, `30ms`); milliseconds, null: it is none. */
export function parseGoDuration(text: string): number | null {
  if (text === '0') return 0
  if (!/^(?:\d+(?:\.\d*)?(?:h|ms|m|s|us|ns))+$/.test(text)) return null
  let sum = 0
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d*)?)(h|ms|m|s|us|ns)/g)) {
    sum += Number(number) * (UNIT_MS[unit ?? ''] ?? 0)
  }
  return Number.isFinite(sum) ? sum : null
}

/** A duration, 0 allowed; milliseconds. */
export const duration = z
  .string({ error: 'expected a duration such as 5s, 100ms or 1m30s' })
  .transform((text, context) => {
    const ms = parseGoDuration(text)
    if (ms !== null) return ms
    context.addIssue({
      code: 'custom',
      message: `expected a duration such as 5s, 100ms or 1m30s, got "${text}"`,
    })
    return z.NEVER
  })

/** A duration of at least 1 ms, as Istio asks for time limits. */
export const positiveDuration = duration.refine((ms) => ms >= 1, 'expected a duration of at least 1ms')

/** uint32. */
export const uint32 = z.int().min(0).max(4_294_967_295)

/** int32 that Istio wants not negative. */
export const count = z.int().min(0).max(2_147_483_647)

/** A TCP port. */
export const port = z.int().min(1).max(65_535)

/** `{ value: 12.5 }`, 0 to 100. */
export const percentage = z.strictObject({ value: z.number().min(0).max(100).default(0) })

/** Labels or annotations. */
export const textMap = z.record(z.string(), z.string())

/** `metadata` of a document; what Kubernetes puts there is of no concern. */
export const metadata = z.looseObject({ name: z.string().min(1), namespace: z.string().optional() })
