import { z } from 'zod'
import { type DocumentPath, isRecord, type PolicyDocument } from './policy-document.ts'
import type { PolicyReport } from './policy-report.ts'

/** How unknown fields are taken: `strict` refuses them, `lenient` (the running proxy) warns and goes on without them. */
export type PolicyMode = 'strict' | 'lenient'

/** The schema of a field that Istio has and this proxy does not: reported with the reason and left out. */
export function unsupported(reason: string): z.ZodOptional<z.ZodUnknown> {
  return z
    .unknown()
    .superRefine((value, context) => {
      if (value === undefined) return
      context.addIssue({ code: 'custom', message: reason, params: { isUnsupported: true } })
    })
    .optional()
}

/**
 * Validates a part of a document and reports every problem at its place. Unknown and unsupported fields are reported
 * and left out; null: something else is wrong, and the part cannot be used.
 */
export function validateDocument<Schema extends z.ZodType>(
  schema: Schema,
  document: PolicyDocument,
  report: PolicyReport,
  mode: PolicyMode,
): z.output<Schema> | null {
  const value: unknown = structuredClone(document.value)
  // Leaving a field out can bring up others that were hidden behind it, never the same one again.
  for (;;) {
    const result = schema.safeParse(value)
    if (result.success) return result.data
    const left = result.error.issues.filter((issue) => !leaveOut(issue, value, report, mode))
    for (const issue of left) report.fail('FIELD_INVALID', pathOf(issue.path), messageOf(issue))
    if (left.length > 0) return null
  }
}

function leaveOut(issue: z.core.$ZodIssue, value: unknown, report: PolicyReport, mode: PolicyMode): boolean {
  const path = pathOf(issue.path)
  if (issue.code === 'unrecognized_keys') {
    const places = issue.keys.map((key) => ({ key, place: [...path, key] }))
    for (const { key, place } of places) {
      if (mode === 'strict') report.fail('FIELD_UNKNOWN', place, `there is no field "${key}" here`)
      else report.warn('FIELD_UNKNOWN', place, `there is no field "${key}" here: it is ignored`)
    }
    return places.every(({ place }) => remove(value, place))
  }
  if (issue.code === 'custom' && issue.params?.['isUnsupported'] === true) {
    report.warn('FIELD_UNSUPPORTED', path, `not done by this proxy: ${issue.message}`)
    return remove(value, path)
  }
  return false
}

function remove(value: unknown, path: DocumentPath): boolean {
  const key = path.at(-1)
  const parent = path.slice(0, -1).reduce<unknown>((node, step) => {
    if (Array.isArray(node)) return node[Number(step)]
    return isRecord(node) ? node[String(step)] : undefined
  }, value)
  if (!isRecord(parent) || key === undefined) return false
  return delete parent[String(key)]
}

function pathOf(path: readonly PropertyKey[]): DocumentPath {
  return path.map((step) => (typeof step === 'number' ? step : String(step)))
}

function messageOf(issue: z.core.$ZodIssue): string {
  return issue.message.replace(/^Invalid input: /, '')
}
