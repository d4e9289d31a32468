import { loadProxyFiles } from '../proxy/load-proxy-files.ts'
import { formatFinding } from '../proxy/policy/finding.ts'
import { reloadFailure, runProxy } from '../proxy/run-proxy.ts'
import { systemClock } from '../runtime/clock.ts'
import { errorMessage } from '../runtime/errors.ts'
import { createLogger, type LogLevel } from '../runtime/logger.ts'
import type { CommandIo } from './command-io.ts'
import { programVersion } from './program-version.ts'
import { watchSignals } from './watch-signals.ts'

/** The options of `meshwatch proxy`. */
export interface ProxyArguments {
  readonly config: readonly string[]
  readonly logLevel: LogLevel
}

/**
 * Runs the data plane of one workload until a signal ends it: SIGTERM lets requests end, a second signal does not; SIGHUP reads policies and
 * endpoints anew, and leaves the old ones in force when the files have a problem. Exit code 0 stopped as asked, 1 could not start.
 */
export async function proxyCommand(given: ProxyArguments, io: CommandIo): Promise<number> {
  const logger = createLogger({ level: given.logLevel, isReadable: io.isTerminal, clock: systemClock })
  const signals = watchSignals({ clock: systemClock, onSecond: () => process.exit(1) })
  const crash = (error: unknown): void => {
    logger.fatal({ event: 'crashed', err: error })
    process.exit(1)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  try {
    const files = loadProxyFiles(given.config)
    const tell = (found: typeof files.findings) => {
      for (const finding of found)
        logger.warn({ event: 'policy-finding', ...finding }, formatFinding(finding))
    }
    tell(files.findings)
    const proxy = await runProxy({ files, clock: systemClock, logger, version: programVersion() })
    signals.onReload(() => {
      try {
        const next = loadProxyFiles(given.config)
        proxy.reload(next)
        tell(next.findings)
        logger.info({ event: 'policy-reloaded', clusters: next.policy.clusters.size })
      } catch (error) {
        logger.error({ event: 'reload-failed', reason: reloadFailure(error) })
      }
    })
    const { name, namespace } = files.config
    const { listeners, adminAddress } = proxy
    logger.info({ event: 'ready', name, namespace, listeners, admin: adminAddress }, 'taking requests')
    const signal = await signals.stop
    logger.info({ event: 'stopping', signal })
    await proxy.close()
    logger.info({ event: 'stopped' })
    return 0
  } catch (error) {
    io.stderr(`${errorMessage(error)}\n`)
    return 1
  }
}
