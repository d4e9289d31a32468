/** Where a command writes. */
export interface RulesIo {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
}
