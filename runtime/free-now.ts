/** Smaller ones are not worth it. */
const LARGE_BYTES = 65_536

/**
 * Frees the memory of an array at once, which a collection would find much later: V8 collects for every 64 MiB of such memory, and each new piece of
 * it costs a page fault for every 4 KiB. The array, and every other view of its memory, is empty from then on. Small ones are left alone.
 */
export function freeNow({ buffer, byteLength }: ArrayBufferView): void {
  // A part of a larger one is not this array's to free.
  if (buffer instanceof ArrayBuffer && byteLength >= LARGE_BYTES && byteLength === buffer.byteLength) {
    buffer.transfer(0)
  }
}
