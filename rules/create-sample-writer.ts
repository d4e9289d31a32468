import { labelsKey } from '../model/labels.ts'
import type { Storage } from '../storage/storage.ts'
import { type IndexRow, sampleDay, samplesInsert, seriesInsert } from './sample-blocks.ts'
import type { WriteSamples } from './sample-recorder.ts'

/** Days of a series that are remembered as told; the index takes repetitions, they only cost. */
const MAX_KNOWN = 200_000

/**
 * Writes recorded samples where PromQL finds them: first the series into the index, once per series and day, then the samples. Writing the
 * same samples again changes nothing.
 */
export function createSampleWriter(storage: Storage): WriteSamples {
  let known = new Set<string>()
  return async (tenant, samples) => {
    const fresh = new Map<string, IndexRow>()
    for (const sample of samples) {
      const day = sampleDay(sample)
      const key = `${tenant}\n${day}\n${labelsKey(sample.labels)}`
      if (!known.has(key)) fresh.set(key, { labels: sample.labels, day })
    }
    if (fresh.size > 0) {
      await storage.insertNative(seriesInsert(tenant, [...fresh.values()]))
      if (known.size > MAX_KNOWN) known = new Set()
      for (const key of fresh.keys()) known.add(key)
    }
    if (samples.length > 0) await storage.insertNative(samplesInsert(tenant, samples))
  }
}
