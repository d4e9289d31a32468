import { quoteString } from '../format-parameter.ts'
import { INSERT_SETTINGS } from '../insert-settings.ts'
import type { NativeInsert } from '../storage.ts'
import { renderSettings } from './render-statement.ts'

/**
 * The statement that inserts a file of Native blocks. All blocks of the file become one block per partition, so that
 * the table gets few large parts and the deduplication token stands for the whole insert.
 */
export function insertStatement(insert: NativeInsert, filePath: string): string {
  const columns = insert.columns.map(({ name }) => `\`${name}\``).join(', ')
  const structure = insert.columns.map(({ name, type }) => `\`${name}\` ${type}`).join(', ')
  const settings = renderSettings({
    ...INSERT_SETTINGS,
    // Fail rather than insert twice, should the engine ever judge that reading a file is not repeatable.
    deduplicate_insert_select: 'force_enable',
    insert_deduplication_token: insert.deduplicationToken,
  })
  return `INSERT INTO ${insert.table} (${columns})
SELECT ${columns} FROM file(${quoteString(filePath)}, 'Native', ${quoteString(structure)})
SETTINGS ${settings}`
}
