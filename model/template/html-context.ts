/** Where in HTML a value is about to be written. */
export type HtmlContext = 'text' | 'url' | 'forbidden'

const URL_ATTRIBUTES = /^(?:href|src|action|formaction|cite|poster|background|xlink:href)$/i
const EVENT_OR_STYLE = /^(?:on.*|style|srcdoc)$/i

/**
 * Looks at the HTML written so far. `url`: at the start of an attribute that holds an address (its scheme is then the
 * value's to choose). `forbidden`: in a script, a style, an event handler, or an unquoted attribute, where escaping for text
 * is not enough.
 */
export function urlAttributeAt(html: string): HtmlContext {
  const open = html.lastIndexOf('<')
  const close = html.lastIndexOf('>')
  if (open <= close) {
    const text = html.toLowerCase()
    const isInside = ['script', 'style'].some(
      (tag) => text.lastIndexOf(`<${tag}`) > text.lastIndexOf(`</${tag}`),
    )
    return isInside ? 'forbidden' : 'text'
  }
  const tag = html.slice(open)
  const attribute = /\s([\w:-]+)\s*=\s*(["'])([^"']*)$/.exec(tag)
  if (attribute === null) return /=\s*$|^<\/?[\w-]*$|\s[\w:-]*$/.test(tag) ? 'forbidden' : 'text'
  const [, name = '', , value = ''] = attribute
  if (EVENT_OR_STYLE.test(name)) return 'forbidden'
  return URL_ATTRIBUTES.test(name) && value === '' ? 'url' : 'text'
}

/** Whether an address may be a link in a message: http, https, mailto, or relative. */
export function isUrlAllowed(url: string): boolean {
  // Browsers ignore tabs, line breaks and control characters inside a scheme.
  const bare = url.replace(/[\p{Cc}\s]/gu, '')
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(bare)?.[1]?.toLowerCase()
  return scheme === undefined || scheme === 'http' || scheme === 'https' || scheme === 'mailto'
}
