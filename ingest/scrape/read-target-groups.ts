import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import { type TargetGroup, targetGroup } from './scrape-job.ts'

const file = z.array(targetGroup).nullable()

/** The label that tells which file a target comes from. */
const FILE_LABEL = '__meta_filepath'

/**
 * The groups of a file of targets (JSON or YAML, by its ending: a list of `targets` and `labels`), each with the file's name as
 * `__meta_filepath`. Throws INVALID_ARGUMENT with the reason when it cannot be read: then nothing of it counts.
 */
export function readTargetGroups(path: string): readonly TargetGroup[] {
  let raw: unknown
  try {
    const text = readFileSync(path, 'utf8')
    raw = /\.json$/i.test(path) ? JSON.parse(text) : parse(text)
  } catch (error) {
    throw unreadable(path, errorMessage(error))
  }
  const groups = file.safeParse(raw ?? null)
  if (!groups.success) {
    const [issue] = groups.error.issues
    throw unreadable(path, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  return (groups.data ?? []).map(({ targets, labels }) => ({
    targets,
    labels: { ...labels, [FILE_LABEL]: path },
  }))
}

function unreadable(path: string, reason: string): AppError {
  return new AppError('INVALID_ARGUMENT', `Cannot read the targets of ${path}: ${reason}`)
}
