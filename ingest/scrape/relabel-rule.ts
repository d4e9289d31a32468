import { RE2JS } from 're2js'
import { z } from 'zod'

/** What a rule of relabelling does. */
export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const

const pattern = z.string().refine(isPattern, { message: 'expected a regular expression in RE2 syntax' })

/** Actions that say nothing without a label to write to, or to compare with. */
const WITH_TARGET = new Set(['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal'])
/** A label's name in which groups may stand: `env_$1`, `${1}_x`. */
const TARGET = /^(?:[a-zA-Z_]|\$\{\w+\}|\$(?=\w))(?:\w|\$\{\w+\}|\$(?=\w))*$/

/** One rule of relabelling, with Prometheus' defaults. Patterns match whole values. */
export const relabelRule = z
  .strictObject({
    sourceLabels: z.array(z.string().min(1)).default([]),
    separator: z.string().default(';'),
    regex: pattern.default('(.*)'),
    modulus: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
    targetLabel: z.string().default(''),
    replacement: z.string().default('$1'),
    action: z
      .string()
      .transform((text) => text.toLowerCase())
      .pipe(z.enum(RELABEL_ACTIONS))
      .default('replace'),
  })
  .superRefine((rule, context) => {
    const problem = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message })
    if (WITH_TARGET.has(rule.action) && rule.targetLabel === '') {
      problem('targetLabel', `expected a label: the action ${rule.action} needs one`)
    }
    if (rule.action === 'replace' && rule.targetLabel !== '' && !TARGET.test(rule.targetLabel)) {
      problem('targetLabel', 'expected the name of a label, groups such as $1 allowed')
    }
    if (rule.action === 'hashmod' && rule.modulus === 0) {
      problem('modulus', 'expected a number of at least 1: the action hashmod needs one')
    }
  })

/** A rule of relabelling, parsed: plain data. */
export type RelabelRule = Readonly<z.output<typeof relabelRule>>

function isPattern(text: string): boolean {
  try {
    RE2JS.compile(text, RE2JS.DOTALL)
    return true
  } catch {
    return false
  }
}
