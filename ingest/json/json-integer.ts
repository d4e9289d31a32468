/** A JSON number: sign, digits, fraction, exponent. */
const JSON_NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,6}))?$/

/** More digits than any 64-bit integer has, whatever zeros a sender adds. */
const MAX_DIGITS = 40

/**
 * The exact integer that a decimal text stands for (`12`, `-3`, `1.5e3`), as the protobuf JSON mapping reads 64-bit
 * integers. Undefined when the text is no number, is not integral, or has more than 40 digits.
 */
export function parseJsonInteger(text: string): bigint | undefined {
  const match = JSON_NUMBER.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  if (digits === '') return 0n
  const scale = Number(exponent) - fraction.length
  const significant = digits.replace(/0+$/, '')
  const zeros = scale + digits.length - significant.length
  if (zeros < 0 || significant.length + zeros > MAX_DIGITS) return undefined
  const value = BigInt(significant) * 10n ** BigInt(zeros)
  return sign === '-' ? -value : value
}
