import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml'
import { errorMessage } from '../../runtime/errors.ts'
import type { Finding } from './finding.ts'

/** A configuration file's content; `file` is the name that findings show. */
export interface PolicySource {
  readonly file: string
  readonly text: string
}

/** Keys and indexes that lead to a value of a document. */
export type DocumentPath = readonly (string | number)[]

/** Line and column, from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** One YAML document, or one item of a `kind: List`. */
export interface PolicyDocument {
  readonly file: string
  /** '' when there is none. */
  readonly apiVersion: string
  readonly kind: string
  /** `metadata.name`, '' when there is none. */
  readonly name: string
  /** `metadata.namespace`, '' when there is none. */
  readonly namespace: string
  readonly annotations: Readonly<Record<string, string>>
  /** The whole document as plain data. */
  readonly value: Readonly<Record<string, unknown>>
  /** Where the key of the path stands (for an item of a list: the item); the nearest ancestor that exists. */
  readonly positionOf: (path: DocumentPath) => Position
}

/** What a set of files holds, as far as it is YAML. */
export interface ReadDocuments {
  readonly documents: readonly PolicyDocument[]
  readonly findings: readonly Finding[]
}

/** Reads all documents of all files, in order; empty documents are left out, broken ones become findings `YAML_INVALID`. */
export function readDocuments(sources: readonly PolicySource[]): ReadDocuments {
  const documents: PolicyDocument[] = []
  const findings: Finding[] = []
  for (const source of sources) readSource(source, documents, findings)
  return { documents, findings }
}

function readSource(source: PolicySource, documents: PolicyDocument[], findings: Finding[]): void {
  const { file, text } = source
  const lines = new LineCounter()
  const invalid = (offset: number, message: string): void => {
    findings.push({
      severity: 'error',
      code: 'YAML_INVALID',
      file,
      ...positionAt(lines, offset),
      path: '',
      message,
    })
  }
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true })
  if (!Array.isArray(parsed)) return
  for (const document of parsed) {
    for (const error of document.errors) invalid(error.pos[0], error.message)
    if (document.errors.length > 0 || document.contents === null) continue
    let value: unknown
    try {
      value = document.toJS({ maxAliasCount: 100 })
    } catch (error) {
      invalid(document.contents.range?.[0] ?? 0, errorMessage(error))
      continue
    }
    if (value === null) continue
    if (!isRecord(value)) {
      invalid(document.contents.range?.[0] ?? 0, 'a document must be a mapping of keys to values')
      continue
    }
    const root = document.contents
    if (value['kind'] === 'List' && Array.isArray(value['items'])) {
      value['items'].forEach((item: unknown, index) => {
        const prefix = ['items', index]
        if (isRecord(item)) documents.push(documentOf(file, item, root, prefix, lines))
        else invalid(offsetOf(root, prefix), 'an item of a List must be a mapping of keys to values')
      })
    } else documents.push(documentOf(file, value, root, [], lines))
  }
}

function documentOf(
  file: string,
  value: Record<string, unknown>,
  root: Node,
  prefix: DocumentPath,
  lines: LineCounter,
): PolicyDocument {
  const metadata = isRecord(value['metadata']) ? value['metadata'] : {}
  const annotations = isRecord(metadata['annotations']) ? metadata['annotations'] : {}
  return {
    file,
    apiVersion: textOf(value['apiVersion']),
    kind: textOf(value['kind']),
    name: textOf(metadata['name']),
    namespace: textOf(metadata['namespace']),
    annotations: Object.fromEntries(Object.entries(annotations).map(([key, text]) => [key, String(text)])),
    value,
    positionOf: (path) => positionAt(lines, offsetOf(root, [...prefix, ...path])),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Whether the value is a mapping. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function offsetOf(root: Node, path: DocumentPath): number {
  let node: unknown = root
  let offset = root.range?.[0] ?? 0
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      )
      if (pair === undefined) return offset
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node) && typeof step === 'number') {
      const item = node.items[step]
      if (item === undefined) return offset
      node = item
      if (isMap(item) || isSeq(item) || isScalar(item) || isAlias(item)) offset = item.range?.[0] ?? offset
    } else return offset
  }
  return offset
}

/** A path as people write it: `spec.http[0].retries`. */
export function formatPath(path: DocumentPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}
