import { z } from 'zod'
import { parseDuration } from '../../model/duration.ts'
import type { Matcher } from '../../model/matcher.ts'
import { compileMatcher } from '../../model/matcher.ts'
import { parseMatchers } from '../../model/parse-matchers.ts'
import { errorMessage } from '../../runtime/errors.ts'

/** A duration of the configuration file, milliseconds. */
export const duration = z.union([z.string(), z.int()]).transform((value, context) => {
  const ms = parseDuration(String(value))
  if (ms !== null) return ms
  context.addIssue({ code: 'custom', message: 'expected a duration such as 30s, 5m or 1h30m' })
  return z.NEVER
})

/** A duration that may not be zero. */
export const positiveDuration = duration.refine((ms) => ms > 0, { message: 'cannot be zero' })

/** A text; numbers and booleans that YAML made of it are taken as text. */
export const text = z.union([z.string(), z.number(), z.boolean()]).transform(String)

/** Label names and values, sorted by nobody. */
export const labelMap = z.record(z.string().min(1), text)

/** `matchers`, `source_matchers`, `target_matchers`: each entry holds one or more matchers. */
export const matcherList = z
  .array(
    z.string().transform((entry, context): readonly Matcher[] => {
      try {
        return parseMatchers(entry)
      } catch (error) {
        context.addIssue({ code: 'custom', message: `bad matcher format: ${errorMessage(error)}` })
        return z.NEVER
      }
    }),
  )
  .transform((lists) => lists.flat())

/** `match`, `source_match`, `target_match`: labels that must be equal. */
export const equalMatchers = labelMap.transform((labels): readonly Matcher[] =>
  Object.entries(labels).map(([name, value]) => ({ name, op: '=', value })),
)

/** `match_re` and its kind: labels that must match a pattern. */
export const patternMatchers = labelMap.transform((labels, context): readonly Matcher[] => {
  const matchers = Object.entries(labels).map(([name, value]): Matcher => ({ name, op: '=~', value }))
  for (const matcher of matchers) {
    try {
      compileMatcher(matcher)
    } catch (error) {
      context.addIssue({ code: 'custom', message: errorMessage(error), path: [matcher.name] })
    }
  }
  return matchers
})
