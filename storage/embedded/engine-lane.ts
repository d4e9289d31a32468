import { type ClickHouseClient, type ClickHouseClientConfigOptions, createClient } from '@clickhouse/client'
import { createChdbConnection } from 'chdb/connection'
import type { NativeAnswer } from '../clickhouse-connection.ts'
import { isClickHouseError } from '../map-clickhouse-error.ts'
import { OUTPUT_SETTINGS } from '../output-settings.ts'
import { renderSettings } from './render-statement.ts'

/**
 * One session of the embedded engine. A session runs one statement at a time, so whoever holds the lane has it alone.
 */
export interface EngineLane {
  /**
   * Runs statements separated by `;` and returns what the last one, which names its format, gives. Cannot be interrupted from here: it
   * settles when the engine has finished.
   */
  run(sql: string): Promise<NativeAnswer>
  close(): Promise<void>
}

/** Opens a lane on an engine that is already open at `path`; unqualified names are in `database`. */
export function openEngineLane(path: string, database: string): EngineLane {
  let client: Promise<ClickHouseClient> | null = null
  const open = async () => {
    const opened = createClient({
      connection: createChdbConnection({ path }) as unknown as InjectedConnection,
    })
    await opened.command({ query: `USE ${database}` })
    await opened.command({
      query: `SET ${renderSettings({ ...OUTPUT_SETTINGS, max_query_size: MAX_STATEMENT_BYTES })}`,
    })
    return opened
  }
  return {
    async run(sql) {
      client ??= open()
      try {
        const { stream, summary } = await (await client).exec({ query: sql })
        const chunks: Buffer[] = []
        for await (const chunk of stream) chunks.push(chunk as Buffer)
        const [only] = chunks
        const bytes = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)
        return { bytes, rowsRead: summary === undefined ? null : Number(summary.read_rows) }
      } catch (error) {
        // An answer of ClickHouse leaves the session sound. Anything else may not, so the next statement gets a new one.
        if (!isClickHouseError(error)) {
          const broken = client
          client = null
          await broken.then((opened) => opened.close()).catch(() => undefined)
        }
        throw error
      }
    },
    async close() {
      const opened = client
      client = null
      await opened?.then((it) => it.close()).catch(() => undefined)
    },
  }
}

/** Parameters stand in front of a statement, as text. */
const MAX_STATEMENT_BYTES = 2 ** 24

// The client carries a copy of the types that the engine's package takes from elsewhere: same shape, other identity.
type InjectedConnection = NonNullable<ClickHouseClientConfigOptions['connection']>
