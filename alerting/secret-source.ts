import { readFile } from 'node:fs/promises'
import { AppError, errorMessage } from '../runtime/errors.ts'
import type { Secret } from '../runtime/secret.ts'

/** A secret that stands in the configuration, or in a file that is read whenever the secret is needed (so it may rotate). */
export type SecretSource = { readonly value: Secret } | { readonly file: string }

/**
 * The secret itself, without white space around it where it comes from a file. Throws CANNOT_START when the file cannot be read;
 * the message names the file and never its content.
 */
export async function revealSecret(source: SecretSource): Promise<string> {
  if ('value' in source) return source.value.reveal()
  try {
    return (await readFile(source.file, 'utf8')).trim()
  } catch (error) {
    throw new AppError('CANNOT_START', `Cannot read the secret in ${source.file}: ${errorMessage(error)}`, {
      cause: error,
    })
  }
}
