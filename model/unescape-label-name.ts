/**
 * The name behind the escaped form that URLs use for names beyond ASCII: `U__` and then `__` for an underscore, `_2e_` for the character of that hex
 * number. What does not begin so, or is not well formed, is returned as it is, as Prometheus does (`model.UnescapeName`).
 */
export function unescapeLabelName(name: string): string {
  if (!name.startsWith('U__')) return name
  const parts: string[] = []
  const token = /[^_]+|__|_([0-9A-Fa-f]{1,6})_|(_)/gy
  token.lastIndex = 3
  while (token.lastIndex < name.length) {
    const match = token.exec(name)
    if (match === null || match[2] !== undefined) return name
    const code = match[1]
    if (code === undefined) parts.push(match[0] === '__' ? '_' : match[0])
    else {
      const point = Number.parseInt(code, 16)
      // Half a surrogate pair is no character.
      if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return name
      parts.push(String.fromCodePoint(point))
    }
  }
  return parts.join('')
}
