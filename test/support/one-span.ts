import { systemClock } from '../../runtime/clock.ts'

/** An OTLP/JSON export of one span of the service checkout that begins now. */
export function oneSpan(traceId: string): object {
  const now = BigInt(systemClock.now()) * 1_000_000n
  const span = {
    traceId,
    spanId: 'b7ad6b7169203331',
    name: 'pay now',
    kind: 2,
    startTimeUnixNano: String(now),
    endTimeUnixNano: String(now + 5_000_000n),
  }
  const attributes = [{ key: 'service.name', value: { stringValue: 'checkout' } }]
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] }
}

/** Sends {@link oneSpan} to a receiver. Returns the HTTP status: with 200 it is in the journal. */
export async function exportOneSpan(otlpHttpUrl: string, traceId: string): Promise<number> {
  const response = await fetch(`${otlpHttpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(oneSpan(traceId)),
  })
  await response.body?.cancel()
  return response.status
}
