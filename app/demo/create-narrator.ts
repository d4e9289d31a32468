import type { Clock } from '../../runtime/clock.ts'
import { createLogger, type Logger } from '../../runtime/logger.ts'
import type { CommandIo } from '../command-io.ts'
import type { ReceivedMessage } from './message-box.ts'
import type { LogLine } from './start-child.ts'

/** Says what happens in the demo: sentences on a terminal, JSON lines elsewhere. */
export interface Narrator {
  readonly logger: Logger
  tell(event: string, sentence: string, facts?: Readonly<Record<string, unknown>>): void
  warn(event: string, sentence: string, facts?: Readonly<Record<string, unknown>>): void
  /** Prints a message that came; on a terminal the text of a mail in full. */
  tellMessage(message: ReceivedMessage): void
  /** Prints a part's own line if it is a warning or worse. */
  passOn(part: string, line: LogLine): void
}

/** Makes a narrator that writes to standard output. */
export function createNarrator(io: CommandIo, clock: Clock): Narrator {
  const logger = createLogger({ level: 'info', isReadable: io.isTerminal, clock, write: io.stdout })
  return {
    logger,
    tell: (event, sentence, facts = {}) => logger.info({ event, ...facts }, sentence),
    warn: (event, sentence, facts = {}) => logger.warn({ event, ...facts }, sentence),
    tellMessage(message) {
      const { channel, status, alerts, title, to, note, text } = message
      const facts = { event: 'message', channel, status, alerts, to, ...(note === '' ? {} : { note }) }
      if (!io.isTerminal) logger.info({ ...facts, text }, title)
      else {
        logger.info(facts, title)
        if (channel === 'mail') io.stdout(indented(text))
      }
    },
    passOn(part, line) {
      const { level, time, msg, ...facts } = line
      // About the demo's own policy, which its reader has not written.
      if (facts['event'] === 'policy-finding') return
      if (level === 'warn') logger.warn({ ...facts, part }, text(msg))
      else if (level === 'error' || level === 'fatal') logger.error({ ...facts, part }, text(msg))
    },
  }
}

function text(message: unknown): string {
  return typeof message === 'string' ? message : ''
}

function indented(body: string): string {
  const lines = body.trimEnd().split('\n')
  // The terminal obeys control characters, and a mail may hold anything.
  return `${lines.map((line) => `    ${line.replace(/\p{Cc}/gu, '\uFFFD')}`).join('\n')}\n`
}
