import { AppError } from '../runtime/errors.ts'

/** What a process does. Without choice it does everything. */
export const ROLES = ['ingest', 'query', 'alerting'] as const

/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number]

/** Reads `all` or a list such as `ingest,query`. Throws AppError INVALID_ARGUMENT. */
export function parseRoles(text: string): ReadonlySet<Role> {
  const names = text.split(',').map((name) => name.trim())
  if (names.length === 1 && names[0] === 'all') return new Set(ROLES)
  const unknown = names.find((name) => !ROLES.some((role) => role === name))
  if (unknown !== undefined) {
    const expected = `all, or some of ${ROLES.join(', ')}`
    throw new AppError(
      'INVALID_ARGUMENT',
      `Cannot take the roles ${JSON.stringify(text)}: expected ${expected}`,
    )
  }
  return new Set(names as Role[])
}
