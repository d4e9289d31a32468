/** A message that came. */
export interface ReceivedMessage {
  /** From 1, in the order of coming. */
  readonly id: number
  readonly channel: 'mail' | 'webhook'
  /** Epoch milliseconds. */
  readonly receivedAtMs: number
  readonly status: 'firing' | 'resolved'
  /** Names of the alerts it tells, as far as they can be known. */
  readonly alerts: readonly string[]
  readonly title: string
  /** Recipients, or the path it was posted to. */
  readonly to: string
  readonly text: string
  /** Only of mails. */
  readonly html: string | null
  /** What else is worth knowing, such as `signature: valid`. */
  readonly note: string
}

/** Keeps the newest 500 messages. */
export interface MessageBox {
  add(message: Omit<ReceivedMessage, 'id'>): void
  /** Oldest first. */
  list(): readonly ReceivedMessage[]
  /** Calls for every message to come. Returns what ends that. */
  onMessage(listener: (message: ReceivedMessage) => void): () => void
}

const KEPT = 500

/** Makes an empty box. */
export function createMessageBox(): MessageBox {
  const messages: ReceivedMessage[] = []
  const listeners = new Set<(message: ReceivedMessage) => void>()
  let lastId = 0
  return {
    add(given) {
      const message = { ...given, id: ++lastId }
      messages.push(message)
      if (messages.length > KEPT) messages.shift()
      for (const listener of [...listeners]) listener(message)
    },
    list: () => messages,
    onMessage(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
