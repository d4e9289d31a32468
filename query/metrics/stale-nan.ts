/** Prometheus' mark of a series that has ended, a NaN of its own, as an expression. In grids it also stands for no value. */
export const STALE_NAN = 'reinterpretAsFloat64(toUInt64(9218868437227405314))'

/** Its two halves in memory, the lower one first. */
export const STALE_NAN_BITS = [2, 0x7ff00000] as const
