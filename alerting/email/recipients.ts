import addressParser from 'nodemailer/lib/addressparser'

/** One address of a mail. */
export interface Address {
  readonly name: string
  readonly address: string
}

/**
 * Reads addresses separated by commas, as configured (`oncall@example.org, "B, C" <b@example.org>`). Addresses come from the
 * configuration alone, never from labels. Throws RangeError naming what is no address.
 */
export function parseRecipients(text: string): readonly Address[] {
  if (/[\r\n]/.test(text)) throw new RangeError('Cannot use the addresses: there is a line break in them')
  const found = addressParser(text, { flatten: true }) as readonly Partial<Address>[]
  if (found.length === 0) throw new RangeError('Cannot use the addresses: there are none')
  return found.map(({ name = '', address = '' }) => {
    if (!/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()\\]+$/.test(address)) {
      throw new RangeError(`Cannot use ${JSON.stringify(address || name)}: it is no mail address`)
    }
    return { name, address }
  })
}
