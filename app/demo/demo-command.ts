import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../runtime/clock.ts'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import type { CommandIo } from '../command-io.ts'
import { chooseConfigFile } from '../configuration/choose-config-file.ts'
import { loadConfig } from '../configuration/load-config.ts'
import { problemText } from '../configuration/raw-config.ts'
import { createShutdownStack } from '../shutdown-stack.ts'
import { watchSignals } from '../watch-signals.ts'
import { createNarrator } from './create-narrator.ts'
import { createDemoProcesses } from './demo-processes.ts'
import { playDemo } from './play-demo.ts'

/** The options of the demo. */
export interface DemoArguments {
  readonly config: string | undefined
  readonly dataDir: string | undefined
  /** End after the incidents: exit code 0 when each was told and resolved on both channels, else 1. */
  readonly once: boolean
}

/**
 * Runs the server, a mesh, its load and its incidents until a signal ends them. The configuration is the server's; without a data directory in it,
 * data goes with the demo. Returns the exit code: 0 ended as asked, 1 something could not start, broke, or (with `once`) was not told.
 */
export async function demoCommand(given: DemoArguments, io: CommandIo): Promise<number> {
  const file = chooseConfigFile(given.config ?? null)
  const loaded = loadConfig({ file, environment: io.environment, dataDir: given.dataDir ?? null })
  if (!loaded.isValid) {
    const problems = loaded.problems.map((problem) => `  ${problemText(problem)}\n`)
    io.stderr(`Cannot use the configuration:\n${problems.join('')}`)
    return 1
  }
  const narrator = createNarrator(io, systemClock)
  const folder = mkdtempSync(join(tmpdir(), 'meshwatch-demo-'))
  const hasDataDir = loaded.values.some(({ path }) => path.join('.') === 'dataDir')
  const ending = new AbortController()
  let failure: string | null = null
  const processes = createDemoProcesses({
    environment: io.environment,
    narrator,
    onEnded: (sentence) => {
      failure ??= sentence
      ending.abort()
    },
  })
  const end = (signal: string) => {
    // Ctrl-C reaches the whole process group: a part that has the signal already takes it for the same wish.
    processes.expectEnd(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM')
    ending.abort()
  }
  const signals = watchSignals({ clock: systemClock, onSecond: () => process.exit(1) })
  void signals.stop.then(end)
  signals.onReload(() => end('SIGHUP'))
  // Whatever ends the demo, nothing of it stays.
  const sweep = () => {
    processes.killAll()
    rmSync(folder, { recursive: true, force: true })
  }
  process.on('exit', sweep)

  const stack = createShutdownStack(narrator.logger)
  try {
    const isTold = await playDemo({
      config: loaded.config,
      configFile: file,
      dataDir: hasDataDir ? loaded.config.dataDir : join(folder, 'data'),
      isOnce: given.once,
      folder,
      processes,
      narrator,
      stack,
      signal: ending.signal,
    })
    return isTold ? 0 : 1
  } catch (error) {
    if (failure === null && ending.signal.aborted) return 0
    io.stderr(`${failure ?? reasonOf(error)}\n`)
    return 1
  } finally {
    processes.expectEnd('SIGTERM')
    await stack.stopAll()
    sweep()
  }
}

function reasonOf(error: unknown): string {
  return error instanceof AppError ? error.message : `Cannot go on: ${errorMessage(error)}`
}
