import type { ChildProcess } from 'node:child_process'
import type { Narrator } from './create-narrator.ts'
import { type Child, type LogLine, startChild } from './start-child.ts'
import type { RunningProxy } from './start-mesh.ts'

/** The processes of the demo. */
export interface DemoProcesses {
  /** Starts `meshwatch serve` with these arguments and settings beside the environment's. */
  startServer(args: readonly string[], settings: Readonly<Record<string, string>>): Promise<Child>
  /** Starts `meshwatch proxy` with these configuration files. */
  startProxy(service: string, files: readonly string[]): Promise<RunningProxy>
  /** From now on processes may end. `signal`: how they are asked to. */
  expectEnd(signal: NodeJS.Signals): void
  /** Kills what still runs. */
  killAll(): void
}

/** Makes a starter of processes. `onEnded` is called when one ends that nobody asked to. */
export function createDemoProcesses(options: {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly narrator: Pick<Narrator, 'passOn'>
  readonly onEnded: (sentence: string) => void
}): DemoProcesses {
  const { environment, narrator } = options
  const running = new Set<ChildProcess>()
  let isEnding = false
  let stopSignal: NodeJS.Signals = 'SIGTERM'
  const start = (name: string, args: readonly string[], env: typeof environment): Promise<Child> =>
    startChild({
      name,
      args,
      environment: env,
      // That the server is gone before the proxies are is no news while all of them end.
      onLine: (line) => {
        if (!isEnding) narrator.passOn(name, line)
      },
      onSpawn: (child) => {
        running.add(child)
        child.once('exit', (code, signal) => {
          running.delete(child)
          if (!isEnding) options.onEnded(`The ${name} has ended with ${code ?? signal}`)
        })
      },
    })
  return {
    async startServer(args, settings) {
      const server = await start('server', ['serve', ...args], { ...environment, ...settings })
      return { ...server, stop: () => server.stop(stopSignal) }
    },
    async startProxy(service, files) {
      const args = ['proxy', '--config', ...files]
      const proxy = await start(`proxy of ${service}`, args, withoutSettings(environment))
      return { ...listenersOf(proxy.ready), stop: () => proxy.stop(stopSignal) }
    },
    expectEnd(signal) {
      isEnding = true
      stopSignal = signal
    },
    killAll() {
      isEnding = true
      for (const child of running) child.kill('SIGKILL')
    },
  }
}

/** Settings are the server's; a proxy has its files. */
function withoutSettings(environment: Readonly<Record<string, string | undefined>>): typeof environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('MESHWATCH_')))
}

function listenersOf(ready: LogLine): { readonly inbound: readonly string[]; readonly outbound: string } {
  const listeners = (Array.isArray(ready['listeners']) ? ready['listeners'] : []) as readonly {
    readonly role: string
    readonly address: string
  }[]
  return {
    inbound: listeners.filter(({ role }) => role === 'inbound').map(({ address }) => address),
    outbound: listeners.find(({ role }) => role === 'outbound')?.address ?? '',
  }
}
