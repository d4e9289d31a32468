/** Bytes of one request, taken from a {@link ByteBudget}. */
export interface ByteLease {
  /** Takes more bytes; false, and nothing taken, when that would pass the bound. A request that is alone always gets them. */
  take(bytes: number): boolean
  /** Gives back all that was taken. */
  release(): void
}

/** A bound on the bytes of requests that are being received, decoded or written, shared by all receivers. */
export interface ByteBudget {
  /** Bytes taken now. */
  readonly used: number
  /** Starts the account of one request. */
  lease(): ByteLease
}

/** Makes a budget of `maxBytes`. */
export function createByteBudget(maxBytes: number): ByteBudget {
  let used = 0
  return {
    get used() {
      return used
    },
    lease() {
      let held = 0
      return {
        take(bytes) {
          // A single message larger than the bound would otherwise be refused for ever.
          if (used > held && used + bytes > maxBytes) return false
          used += bytes
          held += bytes
          return true
        },
        release() {
          used -= held
          held = 0
        },
      }
    },
  }
}
