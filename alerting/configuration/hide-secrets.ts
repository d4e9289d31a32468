import { type Document, isScalar, visit } from 'yaml'
import { HIDDEN } from '../../runtime/secret.ts'

const SECRET_KEYS: ReadonlySet<string> = new Set([
  'auth_password',
  'auth_secret',
  'bearer_token',
  'credentials',
  'password',
  'signing_secret',
  'smtp_auth_password',
  'smtp_auth_secret',
  'url',
])

/** A configuration's text with `<secret>` in place of every secret; `url` counts as one, as in Alertmanager. */
export function hideSecrets(document: Document): string {
  const shown = document.clone() as Document
  visit(shown, {
    Pair(_, pair) {
      if (!isScalar(pair.key)) return
      const key = String(pair.key.value)
      if (key === 'secrets') {
        pair.value = shown.createNode([HIDDEN])
        return visit.SKIP
      }
      if (!SECRET_KEYS.has(key) || !isScalar(pair.value)) return
      // amtool reads this text back, and older ones take no URL without a scheme.
      pair.value = shown.createNode(key === 'url' ? `http://${HIDDEN}` : HIDDEN)
      return visit.SKIP
    },
  })
  return shown.toString({ lineWidth: 0 })
}
