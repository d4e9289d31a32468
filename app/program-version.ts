import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The program's own version, from `package.json`. */
export function programVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}
