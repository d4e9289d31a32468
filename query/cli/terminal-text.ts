/**
 * Controls (C0, DEL, C1), marks that change the direction of text, and line separators: with these, a name chosen by an
 * attacker could move the cursor, hide text or give orders to the terminal.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach the terminal
const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** Text from elsewhere, safe to print on one line: what could steer a terminal is written as `\xNN` or `\uNNNN`. */
export function terminalText(text: string): string {
  return text.replace(DANGEROUS, (character) => {
    const code = character.charCodeAt(0)
    return code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`
  })
}

/** A value as indented JSON that is safe to print; it reads back as the same value. */
export function terminalJson(value: unknown): string {
  // Line ends of the indentation stay: inside strings, JSON has escaped them already.
  return JSON.stringify(value, null, 2).replace(DANGEROUS, (character) =>
    character === '\n' ? character : `\\u${hex(character.charCodeAt(0), 4)}`,
  )
}

/** Text cut or filled with spaces to a number of characters; `…` ends what was cut. Counts code points. */
export function fitText(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const characters = [...text]
  if (characters.length > width) return width < 1 ? '' : `${characters.slice(0, width - 1).join('')}…`
  const space = ' '.repeat(width - characters.length)
  return align === 'left' ? text + space : space + text
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
