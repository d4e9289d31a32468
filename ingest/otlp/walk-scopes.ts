import { type ByteRange, EMPTY_RANGE } from './byte-range.ts'
import type { Origin, OriginRegistry } from './origin-registry.ts'
import { LENGTH_DELIMITED, type WireReader } from './wire-reader.ts'

/**
 * Walks the two outer levels that all three signals share (ResourceX { resource 1, scope_x 2, schema_url 3 } and
 * ScopeX { scope 1, items 2, schema_url 3 }) and calls `onItem` with the reader at each item's first byte.
 * `origin` is null when resource or scope cannot be kept.
 */
export function walkScopes(
  reader: WireReader,
  origins: OriginRegistry,
  onItem: (origin: Origin | null, end: number) => void,
): void {
  const { length } = reader.bytes
  while (reader.position < length) {
    const field = reader.tag(length)
    if (field !== 1 || reader.wireType !== LENGTH_DELIMITED) {
      reader.skip(length, field)
      continue
    }
    const resourceEnd = reader.enter(length)
    const resourceStart = reader.position
    // The schema URL comes behind the scopes on the wire: find the two singular fields before walking the items.
    const head = findHead(reader, resourceStart, resourceEnd)
    reader.position = resourceStart
    while (reader.position < resourceEnd) {
      const resourceField = reader.tag(resourceEnd)
      if (resourceField !== 2 || reader.wireType !== LENGTH_DELIMITED) {
        reader.skip(resourceEnd, resourceField)
        continue
      }
      const scopeEnd = reader.enter(resourceEnd)
      const scopeStart = reader.position
      const scopeHead = findHead(reader, scopeStart, scopeEnd)
      const origin = origins.resolve(head.message, head.schemaUrl, scopeHead.message, scopeHead.schemaUrl)
      reader.position = scopeStart
      while (reader.position < scopeEnd) {
        const scopeField = reader.tag(scopeEnd)
        if (scopeField !== 2 || reader.wireType !== LENGTH_DELIMITED) {
          reader.skip(scopeEnd, scopeField)
          continue
        }
        const itemEnd = reader.enter(scopeEnd)
        onItem(origin, itemEnd)
        reader.position = itemEnd
      }
    }
    reader.position = resourceEnd
  }
}

function findHead(
  reader: WireReader,
  start: number,
  end: number,
): { message: ByteRange; schemaUrl: ByteRange } {
  let message = EMPTY_RANGE
  let schemaUrl = EMPTY_RANGE
  reader.position = start
  while (reader.position < end) {
    const field = reader.tag(end)
    if ((field === 1 || field === 3) && reader.wireType === LENGTH_DELIMITED) {
      const to = reader.enter(end)
      const range = { start: reader.position, end: to }
      if (field === 1) message = range
      else schemaUrl = range
      reader.position = to
    } else {
      reader.skip(end, field)
    }
  }
  return { message, schemaUrl }
}
