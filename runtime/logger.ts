import { type Logger as PinoLogger, pino } from 'pino'
import type { Clock } from './clock.ts'

/** A structured logger: `logger.info({ event: 'ready', … }, 'sentence')`. */
export type Logger = PinoLogger

/** The levels of the logger, from chatty to silent. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** A level of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** How to log. */
export interface LoggerOptions {
  readonly level: LogLevel
  /** One line for people instead of JSON: for terminals. */
  readonly isReadable: boolean
  readonly clock: Clock
  /** Takes whole lines. Default: standard output, written before the call returns, from any thread. */
  readonly write?: (line: string) => void
}

/**
 * Makes a logger. JSON lines start with `level` (a word), then the fields of the call, then `time` (RFC 3339) and `msg`.
 * Lines are written synchronously, so nothing said before an exit is lost.
 */
export function createLogger(options: LoggerOptions): Logger {
  const write = options.write
  const target = write === undefined ? pino.destination({ fd: 1, sync: true }) : { write }
  const destination = options.isReadable
    ? { write: (line: string) => void target.write(readableLine(line)) }
    : target
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: false,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => ({ ...fields, time: new Date(options.clock.now()).toISOString() }),
      },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    destination,
  )
}

/** A logger that says nothing: for tests and for tools whose output is the answer. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' })
}

function readableLine(json: string): string {
  const { level, time, msg, event, ...fields } = JSON.parse(json) as Record<string, unknown>
  const clockTime = typeof time === 'string' ? time.slice(11, 23) : ''
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${readableValue(value)}`)
  const said = [event, msg].map((part) => withoutControls(String(part ?? '')))
  const words = [clockTime, String(level).toUpperCase().padEnd(5), ...said, ...rest]
  return `${words.filter((word) => word !== '').join(' ')}\n`
}

function readableValue(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'stack' in value) {
    return `\n${String(value.stack).split('\n').map(withoutControls).join('\n')}`
  }
  return withoutControls(typeof value === 'string' ? value : JSON.stringify(value))
}

/** Names come from strangers: they must not forge lines or speak to the terminal. */
function withoutControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) =>
    JSON.stringify(control).slice(1, -1).replace(control, '\uFFFD'),
  )
}
