/** A set of 64-bit ids, of which each half is a number of 32 bits. Ids are hashes already. Eight bytes an id, in a table at most three quarters full. */
export interface IdSet {
  size(): number
  has(low: number, high: number): boolean
  /** False when it was there already. */
  add(low: number, high: number): boolean
  /** False when it was not there. */
  remove(low: number, high: number): boolean
}

const LEAST = 64

/** Makes an empty set. */
export function createIdSet(): IdSet {
  // Two halves side by side; the id 0 stands for a free place, so it is kept apart.
  let table = new Uint32Array(LEAST * 2)
  let used = 0
  let hasZero = false

  const mask = () => table.length / 2 - 1

  /** The place of an id, or the free place where it would stand. */
  function placeOf(low: number, high: number): number {
    let place = (low ^ high) & mask()
    while (!isFree(place) && (table[place * 2] !== low || table[place * 2 + 1] !== high)) {
      place = (place + 1) & mask()
    }
    return place
  }

  function isFree(place: number): boolean {
    return table[place * 2] === 0 && table[place * 2 + 1] === 0
  }

  function put(place: number, low: number, high: number): void {
    table[place * 2] = low
    table[place * 2 + 1] = high
  }

  function grow(): void {
    const before = table
    table = new Uint32Array(before.length * 2)
    for (let at = 0; at < before.length; at += 2) {
      const low = before[at] as number
      const high = before[at + 1] as number
      if (low !== 0 || high !== 0) put(placeOf(low, high), low, high)
    }
  }

  /** Moves what stands behind a freed place to where it is looked for. */
  function close(freed: number): void {
    let gap = freed
    for (let place = (gap + 1) & mask(); !isFree(place); place = (place + 1) & mask()) {
      const low = table[place * 2] as number
      const high = table[place * 2 + 1] as number
      const home = (low ^ high) & mask()
      // What belongs between the gap and here stays.
      if (((place - home) & mask()) < ((place - gap) & mask())) continue
      put(gap, low, high)
      put(place, 0, 0)
      gap = place
    }
  }

  const isZero = (low: number, high: number) => low === 0 && high === 0
  return {
    size: () => used + (hasZero ? 1 : 0),
    has: (low, high) => (isZero(low, high) ? hasZero : !isFree(placeOf(low >>> 0, high >>> 0))),
    add: (low, high) => {
      if (isZero(low, high)) {
        const isNew = !hasZero
        hasZero = true
        return isNew
      }
      const place = placeOf(low >>> 0, high >>> 0)
      if (!isFree(place)) return false
      put(place, low >>> 0, high >>> 0)
      used++
      if (used * 8 > table.length * 3) grow()
      return true
    },
    remove: (low, high) => {
      if (isZero(low, high)) {
        const wasThere = hasZero
        hasZero = false
        return wasThere
      }
      const place = placeOf(low >>> 0, high >>> 0)
      if (isFree(place)) return false
      put(place, 0, 0)
      used--
      close(place)
      return true
    },
  }
}
