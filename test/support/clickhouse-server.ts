import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Behaviour } from './clickhouse-server-process.ts'

/** A running stand-in for a ClickHouse server. Its data outlives {@link ClickHouseServer.kill}, its port too. */
export interface ClickHouseServer {
  /** For `clickhouse.url`. */
  readonly url: string
  readonly pid: number
  /** Changes how it behaves from now on; a request that is stalled goes on when the mode changes. */
  behave(change: Partial<Behaviour>): Promise<void>
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>
  /** Starts it again on the same data and port, behaving normally (user and password as before). */
  start(): Promise<void>
  /** Stops it in its tracks (SIGSTOP): connections are taken by the kernel and nothing answers. */
  freeze(): void
  /** Lets it go on (SIGCONT). */
  thaw(): void
  /** Ends it and removes its data. */
  remove(): Promise<void>
}

/** Starts a stand-in on a free port with an empty data directory. */
export async function startClickHouseServer(
  credentials: Pick<Behaviour, 'username' | 'password'> = { username: 'default', password: '' },
): Promise<ClickHouseServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'meshwatch-server-'))
  const program = join(import.meta.dirname, 'clickhouse-server-process.ts')
  let child: ChildProcess
  let port = 0

  const start = async () => {
    child = fork(program, [dataDir, String(port)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Each running statement holds a thread of Node's pool.
      env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
    })
    const exited = once(child, 'exit').then(() => {
      throw new Error('Cannot start the ClickHouse stand-in: the process ended')
    })
    exited.catch(() => undefined)
    const [ready] = (await Promise.race([once(child, 'message'), exited])) as [{ port: number }]
    port = ready.port
    await behave(credentials)
  }
  const behave = async (change: Partial<Behaviour>) => {
    const url = `http://127.0.0.1:${port}/control`
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(change) })
    if (!answer.ok) throw new Error(`Cannot change the ClickHouse stand-in: ${await answer.text()}`)
  }
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  await start()
  return {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    get pid() {
      return child.pid ?? 0
    },
    behave,
    kill,
    start,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async remove() {
      await kill()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
