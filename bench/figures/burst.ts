import type { BenchOptions } from '../bench-options.ts'
import { count, type Figure } from '../figure.ts'
import { type LoadFigure, measureLoad } from '../measure-load.ts'

const TARGET = 300_000

/** Ten seconds of OTLP/HTTP protobuf as fast as it is taken. */
export async function measureBurst(options: BenchOptions): Promise<readonly Figure[]> {
  const { load, peakRss, caughtUp, ack }: LoadFigure = await measureLoad(options, {
    protocol: 'protobuf',
    seconds: options.seconds ?? 10,
    spansPerSecond: options.rate,
  })
  const accepted = load.accepted / load.seconds
  return [
    {
      what: `burst of ${options.seconds ?? 10} s, accepted and journalled`,
      value: `${count(accepted)} spans/s, ${load.refused} refused`,
      target: `${count(TARGET)} spans/s`,
      isReached: accepted >= TARGET,
      beside: `queryable ${caughtUp} after its end`,
    },
    { what: 'acknowledgement', value: ack },
    { what: 'resident memory, peak', value: peakRss },
  ]
}
