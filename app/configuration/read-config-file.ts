import { isMap, isScalar, LineCounter, type ParsedNode, parseAllDocuments } from 'yaml'
import type { z } from 'zod'
import type { ConfigProblem, RawValue } from './raw-config.ts'
import { objectShape } from './setting.ts'

/**
 * Reads the values of a configuration file (YAML text). Sections that are empty count as not written. Keys that the schema does
 * not know are in the answer too: with what the schema says about them, they are problems for the caller.
 */
export function readConfigFile(
  text: string,
  fileName: string,
  schema: z.ZodType,
): { readonly values: readonly RawValue[]; readonly problems: readonly ConfigProblem[] } {
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  if (!Array.isArray(documents) || documents.length === 0) return { values: [], problems: [] }
  const sourceAt = (offset: number) => `${fileName}:${lines.linePos(offset).line}`
  const [document, second] = documents
  if (document === undefined) return { values: [], problems: [] }
  if (second !== undefined) {
    const source = sourceAt(second.range[0])
    return { values: [], problems: [{ path: '', message: 'expected one YAML document', source }] }
  }
  const problems = document.errors.map((error) => ({
    path: '',
    message: `expected YAML: ${error.message}`,
    source: sourceAt(error.pos[0]),
  }))
  if (problems.length > 0) return { values: [], problems }
  const root = document.contents
  if (root === null || (isScalar(root) && root.value === null)) return { values: [], problems: [] }
  if (!isMap(root)) {
    const source = sourceAt(root.range[0])
    return { values: [], problems: [{ path: '', message: 'expected keys and values', source }] }
  }
  return { values: valuesOf(root, schema, []), problems: [] }

  function valuesOf(node: ParsedNode, at: z.ZodType | null, path: readonly string[]): readonly RawValue[] {
    const shape = at === null ? null : objectShape(at)
    if (!isMap(node)) throw new TypeError('a map was expected')
    return node.items.flatMap((pair): readonly RawValue[] => {
      const key = String(isScalar(pair.key) ? pair.key.value : pair.key)
      const here = [...path, key]
      const offset = (pair.key as ParsedNode | null)?.range?.[0] ?? node.range[0]
      const inner = shape?.[key] ?? null
      const isSection = inner !== null && objectShape(inner) !== null
      const value = pair.value as ParsedNode | null
      if (isSection && isMap(value)) return valuesOf(value, inner, here)
      const plain = value === null ? null : value.toJS(document as NonNullable<typeof document>)
      if (isSection && plain === null) return []
      return [{ path: here, value: plain, kind: 'file', source: sourceAt(offset) }]
    })
  }
}
