import { systemClock } from '../runtime/clock.ts'
import { AppError, errorMessage } from '../runtime/errors.ts'
import { leaveNow } from '../runtime/leave-now.ts'
import { createLogger, type Logger } from '../runtime/logger.ts'
import { createRegistry } from '../runtime/metrics.ts'
import type { CommandIo } from './command-io.ts'
import type { Config } from './config.ts'
import { chooseConfigFile } from './configuration/choose-config-file.ts'
import { loadConfig } from './configuration/load-config.ts'
import { problemText } from './configuration/raw-config.ts'
import { programVersion } from './program-version.ts'
import { parseRoles } from './role.ts'
import { STOP_LIMIT_MS, startServer } from './start-server.ts'
import { watchSignals } from './watch-signals.ts'

/** The options of `meshwatch serve`. */
export interface ServeArguments {
  readonly config: string | undefined
  readonly dataDir: string | undefined
  readonly roles: string
}

/**
 * Runs the server until a signal ends it. Returns the exit code: 0 stopped as asked, 1 could not start (one sentence on
 * standard error) or broke, 2 wrong arguments.
 */
export async function serveCommand(given: ServeArguments, io: CommandIo): Promise<number> {
  const roles = tryParseRoles(given.roles, io)
  if (roles === null) return 2
  const loaded = loadConfig({
    file: chooseConfigFile(given.config ?? null),
    environment: io.environment,
    dataDir: given.dataDir ?? null,
  })
  if (!loaded.isValid) {
    const lines = loaded.problems.map(problemText)
    const [only] = lines
    const list = lines.length === 1 ? ` ${only}` : `\n${lines.map((line) => `  ${line}`).join('\n')}`
    io.stderr(`Cannot use the configuration:${list}\n`)
    return 1
  }
  const { config } = loaded
  const logger = createLogger({ level: config.log.level, isReadable: io.isTerminal, clock: systemClock })
  const signals = watchSignals({
    clock: systemClock,
    onSecond: (signal) => {
      logger.warn({ event: 'stopped-at-once', signal })
      leaveNow(1)
    },
  })
  process.on('uncaughtException', (error) => crash(logger, error))
  process.on('unhandledRejection', (error) => crash(logger, error))
  try {
    const server = await startServer({
      config,
      roles,
      clock: systemClock,
      logger,
      registry: createRegistry({ withProcessMetrics: true }),
      isLogReadable: io.isTerminal,
      onFailure: (error) => {
        if (!(error instanceof AppError)) crash(logger, error)
        io.stderr(`${error.message}\n`)
        leaveNow(1)
      },
    })
    sayReady(config, server.addresses, [...roles])
    signals.onReload(() => void server.reload())
    const signal = await signals.stop
    logger.info({ event: 'stopping', signal })
    // Each part has its own bound; this one is for what hangs nevertheless.
    const isStopped = await Promise.race([server.stop().then(() => true), afterMs(STOP_LIMIT_MS)])
    if (isStopped === true) {
      logger.info({ event: 'stopped' })
      return 0
    }
    logger.warn(
      { event: 'stopped-in-part' },
      `Not everything ended within ${STOP_LIMIT_MS / 1000} seconds: what was acknowledged is in the journal`,
    )
    leaveNow(0)
  } catch (error) {
    logger.debug({ event: 'start-failed', err: error })
    io.stderr(`${startFailure(error)}\n`)
    return 1
  }
}

function tryParseRoles(text: string, io: CommandIo): ReturnType<typeof parseRoles> | null {
  try {
    return parseRoles(text)
  } catch (error) {
    io.stderr(`${errorMessage(error)}\n`)
    return null
  }
}

/** The ready line is said whatever the log level: programs wait for it. */
function sayReady(
  config: Config,
  addresses: Readonly<Record<string, string>>,
  roles: readonly string[],
): void {
  const isReadable = process.stdout.isTTY === true
  const logger = createLogger({ level: 'info', isReadable, clock: systemClock })
  logger.info({
    event: 'ready',
    ...addresses,
    roles,
    dataDir: config.dataDir,
    version: programVersion(),
    pid: process.pid,
  })
}

function crash(logger: Logger, error: unknown): never {
  logger.fatal(
    { event: 'crashed', err: error },
    'An unexpected error: what was acknowledged is in the journal',
  )
  leaveNow(1)
}

function startFailure(error: unknown): string {
  if (error instanceof AppError) return error.message
  return `Cannot start: ${errorMessage(error).split('\n', 1)[0]}`
}

function afterMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
