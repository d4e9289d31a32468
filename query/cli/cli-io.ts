/** What a command needs of the world around it. */
export interface CliIo {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  readonly fetch: typeof globalThis.fetch
  /** Width of the terminal in characters. */
  readonly columns: number
  /** Whether standard output is a terminal: colours are for terminals only. */
  readonly isTty: boolean
}
