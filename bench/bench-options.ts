import { parseArgs } from 'node:util'

/** What a benchmark can be told; null: its own default, that of the published figure. */
export interface BenchOptions {
  /** Length of the load. */
  readonly seconds: number | null
  /** Spans a second that are sent. */
  readonly rate: number | null
  /** Spans that are stored or decoded. */
  readonly spans: number | null
  /** Series that are stored. */
  readonly series: number | null
  /** Connections of the load generator. */
  readonly connections: number | null
  /** Questions of each kind. */
  readonly questions: number | null
  /** An existing folder for the data of the run (removed afterwards); null: a temporary one. */
  readonly directory: string | null
}

/** Reads `--seconds 10` and the like. Throws a TypeError for what is unknown or no number. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string' },
      rate: { type: 'string' },
      spans: { type: 'string' },
      series: { type: 'string' },
      connections: { type: 'string' },
      questions: { type: 'string' },
      directory: { type: 'string' },
    },
  })
  const number = (
    name: 'seconds' | 'rate' | 'spans' | 'series' | 'connections' | 'questions',
  ): number | null => {
    const text = values[name]
    if (text === undefined) return null
    const value = Number(text)
    if (!(value > 0)) throw new TypeError(`Cannot use --${name} ${text}: expected a number above 0`)
    return value
  }
  return {
    seconds: number('seconds'),
    rate: number('rate'),
    spans: number('spans'),
    series: number('series'),
    connections: number('connections'),
    questions: number('questions'),
    directory: values.directory ?? null,
  }
}
