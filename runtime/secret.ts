import { inspect } from 'node:util'
import { z } from 'zod'

/** What a secret shows of itself. */
export const HIDDEN = '<secret>'

/** A value that must not be seen: as text, as JSON, in a log line or an inspected object it is `<secret>`. */
export interface Secret {
  /** The value itself. Call where it is used, never to keep it. */
  reveal(): string
  toString(): string
  toJSON(): string
  [inspect.custom](): string
}

/** Hides a value. */
export function createSecret(value: string): Secret {
  const hidden = () => HIDDEN
  return Object.freeze({ reveal: () => value, toString: hidden, toJSON: hidden, [inspect.custom]: hidden })
}

/**
 * The schema of a secret setting: text in, {@link Secret} out. A key `x` with this schema is expected to have a twin
 * `xFile`, the path of a file that holds the value; the configuration loader reads it (one trailing line end is not part of it).
 */
export const secretSchema = z
  .string()
  .min(1)
  .transform(createSecret)
  .meta({ isSecret: true, expected: 'a text that is not empty' })
