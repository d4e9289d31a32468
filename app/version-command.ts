import type { CommandIo } from './command-io.ts'
import { programVersion } from './program-version.ts'

/** `meshwatch version`: the program, Node and the ClickHouse engine that comes with it. Opens no data directory. */
export async function versionCommand(io: CommandIo): Promise<number> {
  io.stdout(
    `meshwatch ${programVersion()}\nNode.js ${process.versions.node}\nClickHouse ${await engineVersion()}\n`,
  )
  return 0
}

async function engineVersion(): Promise<string> {
  try {
    // Loaded here only: the library is large, and other commands do not need it.
    const { query } = await import('chdb')
    return `${query('SELECT version()', 'TSVRaw').trim()} (embedded)`
  } catch {
    return 'not available on this platform (a server can be used: clickhouse.url)'
  }
}
