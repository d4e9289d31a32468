/** What `/metrics` says about telemetry on its way in. */
export interface IngestMetrics {
  readonly lagSeconds: number
  readonly journalBytes: number
  readonly loadFailures: number
  /** Bytes held by requests that are being received, decoded or written. */
  readonly inFlightBytes: number
}

/** Reads `/metrics` of the server at `url`. */
export async function readIngestMetrics(url: string): Promise<IngestMetrics> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const value = (name: string): number => {
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
    if (line === undefined) throw new Error(`Cannot find ${name} in the metrics`)
    return Number(line.slice(name.length + 1))
  }
  return {
    lagSeconds: value('meshwatch_ingest_lag_seconds'),
    journalBytes: value('meshwatch_journal_bytes'),
    loadFailures: value('meshwatch_journal_load_failures_total'),
    inFlightBytes: value('meshwatch_otlp_in_flight_bytes'),
  }
}

/** Whether everything acknowledged is queryable. */
export async function isLoaded(url: string): Promise<boolean> {
  const { lagSeconds, journalBytes } = await readIngestMetrics(url)
  return lagSeconds === 0 && journalBytes === 0
}
