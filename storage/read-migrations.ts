import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One numbered step of the schema. */
export interface Migration {
  /** From 1, without gaps. */
  readonly number: number
  /** The file's name without number and extension. */
  readonly name: string
  /** Plain single-node SQL, statements separated by semicolons. */
  readonly sql: string
  /** SHA-256 of the file, hex. */
  readonly checksum: string
}

/** Reads the migrations of a directory, by number. Throws when names or numbers are not `NNNN-name.sql` from 0001 on. */
export async function readMigrations(
  directory = join(import.meta.dirname, 'migrations'),
): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    files.map(async (file, index) => {
      const match = /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(file)
      if (match === null || Number(match[1]) !== index + 1) {
        throw new Error(
          `Cannot read the migrations: ${file} is not number ${String(index + 1).padStart(4, '0')}`,
        )
      }
      const sql = await readFile(join(directory, file), 'utf8')
      return {
        number: index + 1,
        name: match[2] ?? '',
        sql,
        checksum: createHash('sha256').update(sql).digest('hex'),
      }
    }),
  )
}
