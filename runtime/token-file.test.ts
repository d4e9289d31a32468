import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTokenAccess } from './token-file.ts'

const TOKEN = 'a-token-of-some-length'
let dir: string
let file: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'meshwatch-tokens-'))
  file = join(dir, 'tokens.yaml')
})

afterEach(() => rmSync(dir, { recursive: true }))

const bearer = (token: string, tenant?: string) => ({
  authorization: `Bearer ${token}`,
  'x-scope-orgid': tenant,
})

describe('a token file', () => {
  test('takes a token in the clear or as its SHA-256, as YAML or JSON', () => {
    const sha256 = createHash('sha256').update(TOKEN).digest('hex')
    const entry = { name: 'n', sha256, scopes: ['read'], tenant: 'shop' }
    writeFileSync(file, JSON.stringify({ tokens: [entry] }))
    const access = createTokenAccess({ tokensFile: file })
    expect(access.isEnforced).toBe(true)
    expect(access.authorize(bearer(TOKEN), 'read')).toEqual({ tenant: 'shop' })
    // The digest itself is not a token.
    expect(() => access.authorize(bearer(sha256), 'read')).toThrow(/not known/)
  })

  test('no tenant means the default one', () => {
    writeFileSync(file, `tokens: [{ name: n, token: ${TOKEN}, scopes: [ingest] }]`)
    expect(createTokenAccess({ tokensFile: file }).authorize(bearer(TOKEN), 'ingest')).toEqual({
      tenant: 'default',
    })
  })

  test('X-Scope-OrgID chooses among the tenants of the token, never beyond', () => {
    writeFileSync(
      file,
      `tokens:\n- { name: one, token: ${TOKEN}-1, scopes: [read], tenant: a }\n- { name: two, token: ${TOKEN}-2, scopes: [read], tenants: [a, b] }`,
    )
    const { authorize } = createTokenAccess({ tokensFile: file })
    expect(authorize(bearer(`${TOKEN}-1`, 'a'), 'read').tenant).toBe('a')
    expect(() => authorize(bearer(`${TOKEN}-1`, 'b'), 'read')).toThrow(/does not allow the tenant/)
    expect(authorize(bearer(`${TOKEN}-2`, 'b'), 'read').tenant).toBe('b')
    expect(() => authorize(bearer(`${TOKEN}-2`), 'read')).toThrow(/several tenants/)
    expect(() => authorize(bearer(`${TOKEN}-2`, 'c'), 'read')).toThrow(/does not allow the tenant/)
  })

  test.each([
    ['', /tokens/i],
    ['tokens: []', /tokens/],
    ['tokens: [{ name: n, token: short, scopes: [read] }]', /tokens\[0\]\.token: expected at least 16/],
    [`tokens: [{ name: n, token: ${TOKEN}, scopes: [all] }]`, /tokens\[0\]\.scopes\[0\]/],
    [`tokens: [{ name: n, scopes: [read] }]`, /either token or sha256/],
    [`tokens: [{ name: n, token: ${TOKEN}, scopes: [read], tenent: x }]`, /tenent/],
    [
      `tokens: [{ name: n, token: ${TOKEN}, scopes: [read] }, { name: m, token: ${TOKEN}, scopes: [read] }]`,
      /same token/,
    ],
    [`tokens: [{ name: "${TOKEN}`, /not YAML/],
  ])('is refused when bad, without showing a token: %s', (text, reason) => {
    writeFileSync(file, text)
    let message = ''
    try {
      createTokenAccess({ tokensFile: file })
    } catch (error) {
      message = String(error)
    }
    expect(message).toMatch(reason)
    expect(message).toContain(file)
    expect(message).not.toContain(TOKEN)
  })

  test('a reload takes new tokens; a bad file leaves the old in force', () => {
    writeFileSync(file, `tokens: [{ name: n, token: ${TOKEN}, scopes: [read] }]`)
    const access = createTokenAccess({ tokensFile: file })
    writeFileSync(file, 'tokens: 3')
    expect(() => access.reload()).toThrow(/Cannot use the token file/)
    expect(access.authorize(bearer(TOKEN), 'read').tenant).toBe('default')
    writeFileSync(file, `tokens: [{ name: n, token: ${TOKEN}-new, scopes: [read] }]`)
    access.reload()
    expect(() => access.authorize(bearer(TOKEN), 'read')).toThrow(/not known/)
    expect(access.authorize(bearer(`${TOKEN}-new`), 'read').tenant).toBe('default')
  })

  test('a missing file is named', () => {
    expect(() => createTokenAccess({ tokensFile: join(dir, 'none') })).toThrow(
      /Cannot use the token file .*none/,
    )
  })
})

test('without a file nothing is enforced and X-Scope-OrgID chooses nothing', () => {
  const access = createTokenAccess({ tokensFile: null })
  expect(access.isEnforced).toBe(false)
  expect(access.authorize({ 'x-scope-orgid': 'other' }, 'write')).toEqual({ tenant: 'default' })
})
