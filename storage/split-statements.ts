/**
 * Splits SQL text at semicolons that stand outside strings, quoted names and comments. Comments stay with the statement
 * they precede; pieces without a statement are left out; the semicolons are not kept.
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = []
  let start = 0
  let hasContent = false
  // Strings and quoted names (with backslash and doubled-quote escapes), comments, semicolons, anything else.
  const token =
    /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`\\]|\\[\s\S]|``)*`|--[^\n]*|\/\*[\s\S]*?\*\/|;|\s+|[\s\S]/g
  for (const match of sql.matchAll(token)) {
    const text = match[0]
    if (text === ';') {
      if (hasContent) statements.push(sql.slice(start, match.index).trim())
      start = match.index + 1
      hasContent = false
    } else if (!/^(--|\/\*|\s)/.test(text)) {
      hasContent = true
    }
  }
  if (hasContent) statements.push(sql.slice(start).trim())
  return statements
}
