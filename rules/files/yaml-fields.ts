import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Scalar,
} from 'yaml'

/** Where a node stands, both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** One field of a mapping. */
export interface Field {
  readonly name: string
  readonly value: Node | null
  /** Where the name stands. */
  readonly at: Position
}

/** Reads the nodes of one YAML document, aliases followed and merge keys merged. */
export interface YamlReader {
  readonly document: Document
  position(node: Node | null): Position
  /** The fields of a mapping; null when the node is none. */
  fields(node: Node | null): readonly Field[] | null
  /** The items of a sequence; null when the node is none. */
  items(node: Node | null): readonly (Node | null)[] | null
  /** The text of a scalar as it was written, '' for null; null when the node is no scalar. */
  text(node: Node | null): string | null
  /** Whether there is nothing: no node, or YAML's null. */
  isNull(node: Node | null): boolean
}

/** How often aliases may be followed on the way to one node. */
const MAX_ALIASES = 20

/** Makes a reader for a document. */
export function createYamlReader(document: Document, lines: LineCounter): YamlReader {
  const resolve = (node: Node | null, depth = 0): Node | null => {
    if (!isAlias(node)) return node
    const target = depth < MAX_ALIASES ? node.resolve(document) : undefined
    return target === undefined ? null : resolve(target as Node, depth + 1)
  }
  const position = (node: Node | null): Position => {
    const offset = node?.range?.[0] ?? 0
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const fields = (written: Node | null, depth = 0): readonly Field[] | null => {
    const node = resolve(written)
    if (!isMap(node)) return null
    const own: Field[] = []
    const merged: Field[] = []
    for (const pair of node.items) {
      const key = isNode(pair.key) ? (pair.key as Node) : null
      const name = isScalar(key) ? scalarText(key) : ''
      const value = isNode(pair.value) ? (pair.value as Node) : null
      if (name === '<<' && depth < MAX_ALIASES) {
        const target = resolve(value)
        const sources = isSeq(target) ? (target.items as Node[]) : [value]
        for (const source of sources) merged.push(...(fields(source, depth + 1) ?? []))
      } else own.push({ name, value, at: position(key) })
    }
    const names = new Set(own.map(({ name }) => name))
    for (const field of merged) {
      if (!names.has(field.name)) own.push(field)
      names.add(field.name)
    }
    return own
  }
  const isNull = (written: Node | null): boolean => {
    const node = resolve(written)
    return node === null || (isScalar(node) && node.value === null)
  }
  return {
    document,
    position,
    fields: (node) => fields(node),
    items: (written) => {
      const node = resolve(written)
      if (!isSeq(node)) return null
      return node.items.map((item) => (isNode(item) ? (item as Node) : null))
    },
    text: (written) => {
      if (isNull(written)) return ''
      const node = resolve(written)
      return isScalar(node) ? scalarText(node) : null
    },
    isNull,
  }
}

/** Numbers, booleans and times are read as the text they were written with: `severity: 1.0` is `1.0`. */
function scalarText(scalar: Scalar): string {
  if (typeof scalar.value === 'string') return scalar.value
  if (scalar.value === null) return ''
  return scalar.source ?? String(scalar.value)
}
