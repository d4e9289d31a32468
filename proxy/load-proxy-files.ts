import { readFileSync } from 'node:fs'
import { AppError, errorMessage } from '../runtime/errors.ts'
import { type Finding, formatFinding } from './policy/finding.ts'
import { loadPolicy } from './policy/load-policy.ts'
import { sortFindings } from './policy/not-for-proxy.ts'
import { type PolicyDocument, type PolicySource, readDocuments } from './policy/policy-document.ts'
import { createPolicyReport } from './policy/policy-report.ts'
import type { ProxyPolicy } from './policy/proxy-policy.ts'
import { validateDocument } from './policy/validate-document.ts'
import { type ProxyConfig, proxySchema } from './proxy-config.ts'

/** Everything that a proxy's files say. */
export interface ProxyFiles {
  readonly config: ProxyConfig
  readonly policy: ProxyPolicy
  /** Warnings only. */
  readonly findings: readonly Finding[]
}

/**
 * Reads the files of a proxy: one document `kind: Proxy`, and policies and endpoints in the same or other files. Throws AppError
 * CANNOT_START with every problem and its position when something of what is written could not be in force.
 */
export function loadProxyFiles(files: readonly string[]): ProxyFiles {
  return readProxySources(files.map((file) => ({ file, text: readText(file) })))
}

/** {@link loadProxyFiles} on texts. */
export function readProxySources(sources: readonly PolicySource[]): ProxyFiles {
  const findings: Finding[] = []
  const documents = readDocuments(sources).documents.filter((document) => document.kind === 'Proxy')
  const [document, second] = documents
  const config = document === undefined ? null : readConfig(document, findings)
  if (second !== undefined) {
    createPolicyReport(second, findings).fail('HOST_DUPLICATE', ['kind'], 'there is a Proxy document already')
  }
  const { policy, findings: found } = loadPolicy(sources, {
    namespace: config?.namespace ?? 'default',
    labels: config?.labels ?? {},
  })
  const all = sortFindings(
    [...findings, ...found],
    sources.map(({ file }) => file),
  )
  const errors = all.filter((finding) => finding.severity === 'error')
  if (errors.length > 0) throw problems(errors)
  if (config === null) {
    throw new AppError(
      'CANNOT_START',
      `Cannot use the configuration: none of ${sources.map(({ file }) => file).join(', ')} has a document "kind: Proxy"`,
    )
  }
  return { config, policy, findings: all }
}

function readConfig(document: PolicyDocument, findings: Finding[]): ProxyConfig | null {
  return validateDocument(proxySchema, document, createPolicyReport(document, findings), 'strict')
}

function problems(errors: readonly Finding[]): AppError {
  const lines = errors.map(formatFinding)
  const list = lines.length === 1 ? ` ${lines[0]}` : `\n${lines.map((line) => `  ${line}`).join('\n')}`
  return new AppError('CANNOT_START', `Cannot use the configuration:${list}`, { details: { errors } })
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new AppError('CANNOT_START', `Cannot read the configuration: ${errorMessage(error)}`, {
      cause: error,
    })
  }
}
