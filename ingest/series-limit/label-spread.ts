/** Which label has how many different values, about: a few hundred bytes a label, whatever the values. */
export interface LabelSpread {
  /** Takes the labels of one series. */
  add(labels: Iterable<readonly [string, string]>): void
  /** The label with the most values, and about how many (within some 7 %); null when nothing was added. */
  widest(): { readonly label: string; readonly values: number } | null
}

/** Senders choose how many labels there are. */
const MAX_LABELS = 64
/** Registers of a label's HyperLogLog; a power of two. */
const REGISTERS = 256
const INDEX_BITS = 8
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS)

/** Makes one that has seen nothing. */
export function createLabelSpread(): LabelSpread {
  const byLabel = new Map<string, Uint8Array>()
  return {
    add: (labels) => {
      for (const [label, value] of labels) {
        let registers = byLabel.get(label)
        if (registers === undefined) {
          if (byLabel.size >= MAX_LABELS) continue
          registers = new Uint8Array(REGISTERS)
          byLabel.set(label, registers)
        }
        const hash = hashText(value)
        const index = hash >>> (32 - INDEX_BITS)
        const rank = Math.clz32((hash << INDEX_BITS) | (1 << (INDEX_BITS - 1))) + 1
        if (rank > (registers[index] as number)) registers[index] = rank
      }
    },
    widest: () => {
      let best: { label: string; values: number } | null = null
      for (const [label, registers] of byLabel) {
        const values = estimate(registers)
        if (best === null || values > best.values) best = { label, values }
      }
      return best
    },
  }
}

/** HyperLogLog (Flajolet et al., 2007), with its correction for few values. */
function estimate(registers: Uint8Array): number {
  let sum = 0
  let empty = 0
  for (const rank of registers) {
    sum += 2 ** -rank
    if (rank === 0) empty++
  }
  const raw = (ALPHA * REGISTERS * REGISTERS) / sum
  const isFew = raw <= 2.5 * REGISTERS && empty > 0
  return Math.round(isFew ? REGISTERS * Math.log(REGISTERS / empty) : raw)
}

/** FNV-1a over the text's units, mixed as MurmurHash3 ends. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
