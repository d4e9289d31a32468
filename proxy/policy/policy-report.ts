import type { Finding, FindingCode, Severity } from './finding.ts'
import { type DocumentPath, formatPath, type PolicyDocument } from './policy-document.ts'

/** Takes what is found in one document. */
export interface PolicyReport {
  readonly warn: (code: FindingCode, path: DocumentPath, message: string) => void
  readonly fail: (code: FindingCode, path: DocumentPath, message: string) => void
}

/** A report on `document` that appends to `findings`. */
export function createPolicyReport(document: PolicyDocument, findings: Finding[]): PolicyReport {
  const add = (severity: Severity, code: FindingCode, path: DocumentPath, message: string): void => {
    const { file } = document
    findings.push({ severity, code, file, ...document.positionOf(path), path: formatPath(path), message })
  }
  return {
    warn: (code, path, message) => add('warning', code, path, message),
    fail: (code, path, message) => add('error', code, path, message),
  }
}
