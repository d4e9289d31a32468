import xxhash, { type XXHashAPI } from 'xxhash-wasm'
import type { Labels } from '../../../model/labels.ts'

let hashing: Promise<XXHashAPI> | null = null

/**
 * Makes the function that gives labels their place between 0 and 1: always the same for the same labels, and evenly spread. `limit_ratio` keeps a
 * series by it, as Prometheus does: the xxHash64 of the labels in the encoding in which its default build keeps them, as a share of 2^64 - 1.
 */
export async function createRatioOffset(): Promise<(labels: Labels) => number> {
  // WebAssembly is compiled once.
  hashing ??= xxhash()
  const { h64Raw } = await hashing
  return (labels) => Number(h64Raw(encodeLabels(labels))) / LARGEST
}

const LARGEST = Number(2n ** 64n - 1n)

/** Each name and value after its length in bytes: one byte below 255, else a byte of 255 and three of the length, the lowest first. */
function encodeLabels(labels: Labels): Uint8Array {
  const pieces: Buffer[] = []
  for (const text of labels) {
    const bytes = Buffer.from(text)
    const { length } = bytes
    const size = length < 255 ? [length] : [255, length & 0xff, (length >> 8) & 0xff, (length >> 16) & 0xff]
    pieces.push(Buffer.from(size), bytes)
  }
  return Buffer.concat(pieces)
}
