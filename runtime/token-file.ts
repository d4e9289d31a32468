import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { type AccessControl, type AccessHeaders, type AccessScope, DEFAULT_TENANT } from './access-control.ts'
import { AppError, errorMessage } from './errors.ts'

/** What access control is made from; plain data, so that another thread can make its own. */
export interface AccessControlOptions {
  /** Path of the token file; null: no tokens, everybody may do everything. */
  readonly tokensFile: string | null
}

/** Access control that can read its file again. */
export interface TokenAccess extends AccessControl {
  /** Reads the file again. A bad file throws AppError CANNOT_START and leaves the tokens in force. */
  reload(): void
}

interface Entry {
  readonly digest: Buffer
  readonly scopes: ReadonlySet<AccessScope>
  /** Never empty; the first is the one meant when the request names none and there is only one. */
  readonly tenants: readonly string[]
}

const name = z.string().min(1).max(150)
const tokenEntry = z
  .strictObject({
    name,
    token: z.string().min(16, 'expected at least 16 characters').optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, 'expected 64 hex digits')
      .optional(),
    scopes: z.array(z.enum(['ingest', 'read', 'write'])).min(1),
    tenant: name.optional(),
    tenants: z.array(name).min(1).optional(),
  })
  .refine((entry) => (entry.token === undefined) !== (entry.sha256 === undefined), {
    message: 'expected either token or sha256',
  })
  .refine((entry) => entry.tenant === undefined || entry.tenants === undefined, {
    message: 'expected either tenant or tenants',
  })
const tokenFile = z.strictObject({ tokens: z.array(tokenEntry).min(1) })

/** Makes access control from a token file (YAML or JSON). Throws AppError CANNOT_START when the file is bad. */
export function createTokenAccess(options: AccessControlOptions): TokenAccess {
  const file = options.tokensFile
  if (file === null) {
    return {
      isEnforced: false,
      authorize: () => ({ tenant: DEFAULT_TENANT }),
      reload: () => undefined,
    }
  }
  let entries = readTokens(file)
  return {
    isEnforced: true,
    authorize: (headers, scope) => authorize(entries, headers, scope),
    reload: () => {
      entries = readTokens(file)
    },
  }
}

function authorize(
  entries: readonly Entry[],
  headers: AccessHeaders,
  scope: AccessScope,
): { readonly tenant: string } {
  const token = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) {
    throw new AppError('UNAUTHENTICATED', 'Cannot answer: the request has no bearer token')
  }
  const entry = findEntry(entries, token)
  if (entry === undefined)
    throw new AppError('UNAUTHENTICATED', 'Cannot answer: the bearer token is not known')
  if (!entry.scopes.has(scope)) {
    throw new AppError('PERMISSION_DENIED', `Cannot answer: the token lacks the scope ${scope}`)
  }
  return { tenant: chooseTenant(entry.tenants, headers['x-scope-orgid']) }
}

function chooseTenant(tenants: readonly string[], asked: string | undefined): string {
  const [only] = tenants
  if (asked === undefined || asked === '') {
    if (only !== undefined && tenants.length === 1) return only
    throw new AppError(
      'PERMISSION_DENIED',
      'Cannot answer: the token allows several tenants and X-Scope-OrgID names none of them',
    )
  }
  if (tenants.includes(asked)) return asked
  throw new AppError(
    'PERMISSION_DENIED',
    'Cannot answer: the token does not allow the tenant that X-Scope-OrgID names',
  )
}

/** Compares with every entry, whether or not one matched already, so that time tells nothing about the tokens. */
function findEntry(entries: readonly Entry[], token: string): Entry | undefined {
  const digest = sha256(token)
  let found: Entry | undefined
  for (const entry of entries) {
    if (timingSafeEqual(entry.digest, digest)) found = entry
  }
  return found
}

function readTokens(file: string): readonly Entry[] {
  const cannot = (reason: string, cause?: unknown) =>
    new AppError('CANNOT_START', `Cannot use the token file ${file}: ${reason}`, { cause })
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw cannot(errorMessage(error), error)
  }
  const document = parseDocument(text, { prettyErrors: false })
  const [syntaxError] = document.errors
  // The parser's message may quote the line, and with it a token: only the place is said.
  if (syntaxError !== undefined)
    throw cannot(`it is not YAML (${syntaxError.code} at offset ${syntaxError.pos[0]})`)
  const parsed = tokenFile.safeParse(document.toJS())
  if (!parsed.success) {
    throw cannot(parsed.error.issues.map((issue) => `${pathText(issue.path)}${issue.message}`).join('; '))
  }
  const entries = parsed.data.tokens.map((entry) => ({
    digest: entry.sha256 === undefined ? sha256(entry.token ?? '') : Buffer.from(entry.sha256, 'hex'),
    scopes: new Set(entry.scopes),
    tenants: entry.tenants ?? [entry.tenant ?? DEFAULT_TENANT],
  }))
  const digests = new Map<string, number>()
  for (const [at, entry] of entries.entries()) {
    const digest = entry.digest.toString('hex')
    const earlier = digests.get(digest)
    if (earlier !== undefined) throw cannot(`tokens[${earlier}] and tokens[${at}] are the same token`)
    digests.set(digest, at)
  }
  return entries
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return text === '' ? '' : `${text.replace(/^\./, '')}: `
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
