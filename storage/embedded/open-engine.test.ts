import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connectEmbedded } from './connect-embedded.ts'

const CONNECT = pathToFileURL(join(import.meta.dirname, 'connect-embedded.ts')).href

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'meshwatch-open-'))
})
afterEach(async () => {
  await rm(dataDir, { recursive: true })
})

const OPTIONS = { database: 'meshwatch', queryConcurrency: 1, maxMemoryBytes: 2 ** 30 }

/** Runs `then` in another process once it has opened the directory; gives its output, the reason if it could not. */
function openElsewhere(then: string) {
  const program = `
    import { connectEmbedded } from ${JSON.stringify(CONNECT)}
    try {
      const connection = await connectEmbedded(${JSON.stringify({ ...OPTIONS, dataDir })})
      console.log('open')
      ${then}
    } catch (error) { console.log(error.code + ' ' + error.message) }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, output: text(child.stdout), errors: text(child.stderr) }
}

async function rows(connection: Awaited<ReturnType<typeof connectEmbedded>>): Promise<unknown[]> {
  return connection.query({ sql: 'SELECT * FROM t', params: {}, settings: {}, timeoutMs: 30_000 })
}

function command(sql: string) {
  return { sql, params: {}, settings: {}, timeoutMs: 30_000 }
}

test('a second process is refused with one sentence and does the first no harm', async () => {
  const connection = await connectEmbedded({ ...OPTIONS, dataDir })
  await connection.command(command('CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x'))
  const second = openElsewhere('await connection.close()')
  expect(await second.output).toBe(
    `CANNOT_START Cannot open the data directory ${dataDir}: another meshwatch (or ClickHouse) process is using it\n`,
  )
  expect(await second.errors).toBe('')
  await connection.command(command('INSERT INTO t VALUES (1)'))
  expect(await rows(connection)).toEqual([{ x: 1 }])
  await connection.close()

  const third = openElsewhere('await connection.close()')
  expect(await third.output).toBe('open\n')
})

test('a directory whose process was killed can be opened', async () => {
  const killed = openElsewhere(
    "await connection.command({ sql: 'CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x', params: {}, settings: {}, timeoutMs: 30_000 })\nconsole.log('ready'); setInterval(() => {}, 1000)",
  )
  await new Promise<void>((resolve) => {
    killed.child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('ready')) resolve()
    })
  })
  killed.child.kill('SIGKILL')
  await once(killed.child, 'close')
  const connection = await connectEmbedded({ ...OPTIONS, dataDir })
  expect(await rows(connection)).toEqual([])
  await connection.close()
})

test('what is no directory is refused with one sentence', async () => {
  const file = join(dataDir, 'file')
  await writeFile(file, '')
  await expect(connectEmbedded({ ...OPTIONS, dataDir: file })).rejects.toMatchObject({
    code: 'CANNOT_START',
    message: `Cannot open the data directory ${file}: it is not a directory`,
  })
  const inside = join(file, 'below')
  await expect(connectEmbedded({ ...OPTIONS, dataDir: inside })).rejects.toMatchObject({
    code: 'CANNOT_START',
  })
})

test('a directory can be opened again after it was closed', async () => {
  const first = await connectEmbedded({ ...OPTIONS, dataDir })
  await first.command(command('CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x'))
  await first.close()
  const second = await connectEmbedded({ ...OPTIONS, dataDir })
  expect(await rows(second)).toEqual([])
  await second.close()
})
