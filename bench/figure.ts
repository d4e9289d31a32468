/** One line of a benchmark's table. */
export interface Figure {
  readonly what: string
  readonly value: string
  /** What it must reach; absent: it is only reported. */
  readonly target?: string
  /** Whether it does; absent without a target. */
  readonly isReached?: boolean
  /** What limits it, measured in the same run or published. */
  readonly beside?: string
}

/** The lines as a table in Markdown. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = [
    ['what', 'measured', 'target', 'beside it'],
    ...figures.map(({ what, value, target, isReached, beside }) => [
      what,
      value,
      target === undefined ? '–' : isReached === false ? `${target} (missed)` : target,
      beside ?? '–',
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [line(rows[0] ?? []), rule, ...rows.slice(1).map(line)].join('\n')
}

/** `150,000`, rounded to three significant digits from a thousand on. */
export function count(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : 0 })
}

/** Milliseconds, with decimals where they matter. */
export function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}

/** Bytes in MB or GB (powers of ten). */
export function megabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${Math.round(bytes / 1e6)} MB`
}
