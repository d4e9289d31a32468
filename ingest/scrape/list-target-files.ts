import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The form of the names that file based discovery takes: no `*` but in the last part, and an ending that tells the format. */
export const TARGET_FILE_NAME = /^[^*]*(?:\*[^/]*)?\.(?:json|yml|yaml|JSON|YML|YAML)$/

/**
 * The files that a name stands for, sorted: in its last part `*` is any text, `?` any character, `[a-c]` one of these, `[^a-c]` none of them, and
 * `\` takes a character as it is. A folder that cannot be read has none.
 */
export function listTargetFiles(name: string): readonly string[] {
  const folder = dirname(name)
  const matches = compileName(basename(name))
  try {
    return readdirSync(folder)
      .filter((file) => matches(file))
      .sort()
      .map((file) => join(folder, file))
  } catch {
    return []
  }
}

const TOKEN = /\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|([*?])|(.)/gsu

function compileName(pattern: string): (file: string) => boolean {
  const source = pattern.replace(
    TOKEN,
    (_all, escaped?: string, negation?: string, range?: string, any?: string, plain?: string) => {
      if (any !== undefined) return any === '*' ? '.*' : '.'
      if (range !== undefined) return `[${negation}${range.replace(/\\(\w)/g, '$1').replaceAll('^', '\\^')}]`
      return (escaped ?? plain ?? '').replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    },
  )
  try {
    const regex = new RegExp(`^${source}$`, 'su')
    return (file) => regex.test(file)
  } catch {
    // A range that is none matches nothing but itself.
    return (file) => file === pattern
  }
}
