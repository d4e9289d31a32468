/** How grave: an error keeps (a part of) the document from being used, a warning tells what is meant otherwise or ignored. */
export type Severity = 'error' | 'warning'

/** One thing that the reading of configuration found. Lines and columns count from 1. */
export interface Finding {
  readonly severity: Severity
  /** One of {@link FindingCode}; a promise to scripts. */
  readonly code: FindingCode
  readonly file: string
  readonly line: number
  readonly column: number
  /** Where in the document: `spec.http[0].retries.attempts`; '' for the document. */
  readonly path: string
  readonly message: string
}

/** Codes of findings, described in docs/proxy-policy.md. */
export type FindingCode =
  | 'YAML_INVALID'
  | 'FIELD_UNKNOWN'
  | 'FIELD_UNSUPPORTED'
  | 'FIELD_INVALID'
  | 'DOCUMENT_NOT_FOR_PROXY'
  | 'DOCUMENT_UNKNOWN'
  | 'HOST_DUPLICATE'
  | 'HOST_WITHOUT_ENDPOINTS'
  | 'SUBSET_UNKNOWN'
  | 'SUBSET_EMPTY'
  | 'SUBSET_DUPLICATE'
  | 'PORT_UNKNOWN'
  | 'ROUTE_UNREACHABLE'
  | 'NOT_SELECTED'
  | 'RETRIES_WITHOUT_ATTEMPTS'
  | 'FIELD_DEPRECATED'
  | 'FAULT_NEVER'
  | `MESH0${number}`

/** A finding as one line: `file:line:column: warning MESH001: message (path)`. */
export function formatFinding(finding: Finding): string {
  const { file, line, column, severity, code, message, path } = finding
  return `${file}:${line}:${column}: ${severity} ${code}: ${message}${path === '' ? '' : ` (${path})`}`
}
