/** A text without line breaks and other control characters: headers and receipts have one line, whatever a label or a server says. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
}
