import { z } from 'zod'
import { durationSetting } from '../model/config-values.ts'

/** Section `rules`: which rule files are evaluated, how often, how far in the past. */
export const rulesConfig = z.strictObject({
  /** File names or patterns. */
  files: z.array(z.string().min(1)).default(['rules/*.yaml']),
  /** Names of the rule packs that come with the program. */
  packs: z.array(z.string().min(1)).default(['mesh']),
  evaluationInterval: durationSetting
    .refine((ms) => ms >= 1000, { message: 'expected a duration of at least 1s' })
    .prefault('1m'),
  queryOffset: durationSetting.prefault('0s'),
})

/** Section `rules`, parsed; durations in milliseconds. */
export type RulesConfig = Readonly<z.output<typeof rulesConfig>>
