import { hash } from 'node:crypto'
import { type Labels, labelsKey } from './labels.ts'

/** The id under which the samples of a series are stored, by all that write them: the first 16 bytes of the SHA-256 over its labels, the name among them. */
export function seriesId(labels: Labels): Uint8Array {
  return hash('sha256', labelsKey(labels), 'buffer').subarray(0, 16)
}
