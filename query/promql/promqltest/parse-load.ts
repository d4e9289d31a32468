import { labelsKey } from '../../../model/labels.ts'
import { AppError, errorMessage } from '../../../runtime/errors.ts'
import type { LoadedSeries } from './loaded-samples.ts'
import { parseSeries } from './parse-series.ts'
import { parseStartOffsets } from './parse-start-offsets.ts'

/** A line of a script, trimmed. `line` counts from 1. */
export interface ScriptLine {
  readonly line: number
  readonly text: string
}

type Offsets = readonly (number | null)[]

/**
 * Reads the body of `load`: one series per line. A line `series@st …` gives the start times of the series on the next line, `@st …` alone those of
 * all series after it that have none of their own (again from its beginning when they are longer). Throws AppError INVALID_ARGUMENT with the line.
 */
export function parseLoad(body: readonly ScriptLine[]): readonly LoadedSeries[] {
  const loaded: LoadedSeries[] = []
  let byDefault: Offsets | null = null
  let pending: { readonly entry: ScriptLine; readonly key: string; readonly offsets: Offsets } | null = null
  for (const entry of body) {
    const starts = /^(\S*)@st\s+(.*)$/.exec(entry.text)
    if (starts !== null) {
      if (pending !== null) throw broken(pending.entry, 'start times are not followed by their series')
      const [, series = '', items = ''] = starts
      const offsets = read(entry, () => parseStartOffsets(items))
      if (series === '') byDefault = offsets
      else pending = { entry, key: read(entry, () => labelsKey(parseSeries(series).labels)), offsets }
      continue
    }
    const { labels, values } = read(entry, () => parseSeries(entry.text))
    if (pending !== null && pending.key !== labelsKey(labels)) {
      throw broken(pending.entry, 'start times are followed by another series than theirs')
    }
    if (pending !== null && pending.offsets.length !== values.length) {
      throw broken(pending.entry, `${pending.offsets.length} start times for ${values.length} values`)
    }
    const cycled: Offsets | null = byDefault
    const startOffsetsMs =
      pending?.offsets ??
      (cycled === null ? null : values.map((_, index) => cycled[index % cycled.length] ?? null))
    loaded.push({ labels, values, startOffsetsMs })
    pending = null
  }
  if (pending !== null) throw broken(pending.entry, 'start times are not followed by their series')
  return loaded
}

function read<Value>(entry: ScriptLine, parse: () => Value): Value {
  try {
    return parse()
  } catch (thrown) {
    throw broken(entry, errorMessage(thrown), thrown)
  }
}

function broken({ line }: ScriptLine, reason: string, cause?: unknown): AppError {
  return new AppError('INVALID_ARGUMENT', `Cannot read line ${line} of the test script: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { line },
  })
}
