import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../runtime/clock.ts'
import type { SpanLedger } from './span-ledger.ts'
import { createSpanMessage } from './span-message.ts'

const DAY_MS = 86_400_000

/** What the senders send, and how. */
export interface SenderOptions {
  /** `http://127.0.0.1:port` of the OTLP/HTTP receiver. */
  readonly url: string
  /** Each message is entered before it is sent. */
  readonly ledger: SpanLedger
  readonly connections: number
  readonly spansPerMessage: number
  /** Milliseconds between an answer and the next message of the same sender. */
  readonly pauseMs?: number
  /** Messages are in turn of today and of so many days before: a load then has rows for several partitions. */
  readonly daysBack?: number
}

/** An answer that was no 200. */
export interface Refusal {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: string
  readonly phase: string
}

/** Senders at work. Each ends by itself when its connection breaks. */
export interface SpanSenders {
  /** Stands in the ledger beside every message from now on. */
  phase: string
  /** Messages acknowledged so far. */
  readonly acknowledged: number
  readonly refusals: readonly Refusal[]
  /** How many senders ended because no answer came. */
  readonly broken: number
  /** Sends nothing more; resolves when all answers have come. */
  stop(): Promise<void>
}

/** Starts them. Serial numbers go on from the ledger's size. */
export function startSenders(options: SenderOptions): SpanSenders {
  const { ledger, spansPerMessage } = options
  const agent = new Agent({ keepAlive: true })
  const refusals: Refusal[] = []
  let isStopping = false
  let acknowledged = 0
  let broken = 0
  const senders: SpanSenders = {
    phase: 'start',
    get acknowledged() {
      return acknowledged
    },
    get broken() {
      return broken
    },
    refusals,
    stop: async () => {
      isStopping = true
      await running
      agent.destroy()
    },
  }

  async function send(seed: number): Promise<void> {
    const message = createSpanMessage(spansPerMessage, `service-${seed}`)
    while (!isStopping) {
      const serial = ledger.size + 1
      const { phase } = senders
      const entry = { spans: spansPerMessage, phase, fate: 'sent' as const }
      ledger.set(serial, entry)
      message.renew(serial, systemClock.now() - (serial % ((options.daysBack ?? 0) + 1)) * DAY_MS)
      const answer = await post(options.url, agent, message.bytes).catch(() => null)
      if (answer === null) {
        broken++
        return
      }
      if (answer.status === 200) {
        ledger.set(serial, { ...entry, fate: 'acknowledged' })
        acknowledged++
      } else {
        ledger.set(serial, { ...entry, fate: 'refused' })
        refusals.push({ ...answer, phase })
        await delay(20)
      }
      if (options.pauseMs !== undefined) await delay(options.pauseMs)
    }
  }

  const running = Promise.all(Array.from({ length: options.connections }, (_, index) => send(index + 1)))
  return senders
}

interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: string
}

function post(url: string, agent: Agent, bytes: Buffer): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const headers = { 'content-type': 'application/x-protobuf', 'content-length': bytes.length }
  const sending = request(`${url}/v1/traces`, { method: 'POST', agent, headers }, (response) => {
    let body = ''
    response
      .setEncoding('utf8')
      .on('data', (text: string) => {
        body += text
      })
      .on('end', () =>
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body }),
      )
      .on('error', reject)
  })
  sending.on('error', reject)
  sending.end(bytes)
  return promise
}
