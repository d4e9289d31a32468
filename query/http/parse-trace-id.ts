/**
 * Reads a trace id as people and user interfaces write it: up to 32 hex digits of either case, leading zeros left out
 * (64-bit ids, and what Jaeger and Tempo print). Returns 32 lower-case digits; null when it is no id or is all zeros.
 */
export function parseTraceId(text: string): string | null {
  if (!/^[0-9a-fA-F]{1,32}$/.test(text) || /^0+$/.test(text)) return null
  return text.toLowerCase().padStart(32, '0')
}
