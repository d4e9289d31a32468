import { z } from 'zod'
import { parseByteSize } from './byte-size.ts'
import { parseDuration } from './duration.ts'

/** The schema of a duration setting: `30s`, `1h30m`, `7d` in, milliseconds out. */
export const durationSetting = z.string().transform((text, context) => {
  const ms = parseDuration(text)
  if (ms !== null) return ms
  context.addIssue({ code: 'custom', message: 'expected a duration such as 30s, 1h30m or 7d' })
  return z.NEVER
})

/** The schema of a size setting: `512MiB`, `2GiB` or a number of bytes in, bytes out. */
export const byteSizeSetting = z.union([z.string(), z.int().nonnegative()]).transform((value, context) => {
  const bytes = parseByteSize(String(value))
  if (bytes !== null) return bytes
  context.addIssue({ code: 'custom', message: 'expected a size such as 512MiB, 2GiB or a number of bytes' })
  return z.NEVER
})
