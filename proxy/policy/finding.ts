/** How grave: an error keeps (a part of) the document from being used, a warning tells what is meant otherwise or ignored. */
export type Severity = 'error' | 'warning'

/** One thing that the reading of configuration found. Lines and columns count from 1. */
export interface Finding {
  readonly severity: Severity
  /** A promise to scripts. */
  readonly code: FindingCode
  readonly file: string
  readonly line: number
  readonly column: number
  /** Where in the document: `spec.http[0].retries.attempts`; '' for the document. */
  readonly path: string
  readonly message: string
}

/** Codes of findings, described in docs/proxy-policy.md. */
export const FINDING_CODES = [
  'YAML_INVALID',
  'FIELD_UNKNOWN',
  'FIELD_UNSUPPORTED',
  'FIELD_INVALID',
  'FIELD_DEPRECATED',
  'DOCUMENT_NOT_FOR_PROXY',
  'DOCUMENT_UNKNOWN',
  'HOST_DUPLICATE',
  'HOST_WITHOUT_ENDPOINTS',
  'SUBSET_UNKNOWN',
  'SUBSET_EMPTY',
  'SUBSET_DUPLICATE',
  'PORT_UNKNOWN',
  'ROUTE_UNREACHABLE',
  'NOT_SELECTED',
  'RETRIES_WITHOUT_ATTEMPTS',
  'FAULT_NEVER',
  'MESH001',
  'MESH002',
  'MESH003',
  'MESH004',
  'MESH005',
  'MESH006',
  'MESH007',
  'MESH008',
  'MESH009',
  'MESH010',
  'MESH011',
  'MESH012',
  'MESH013',
  'MESH014',
] as const

/** One of {@link FINDING_CODES}. */
export type FindingCode = (typeof FINDING_CODES)[number]

/** A finding as one line: `file:line:column: warning MESH001: message (path)`. */
export function formatFinding(finding: Finding): string {
  const { file, line, column, severity, code, message, path } = finding
  return `${file}:${line}:${column}: ${severity} ${code}: ${message}${path === '' ? '' : ` (${path})`}`
}
