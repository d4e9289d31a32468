import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import type { CliIo } from './cli-io.ts'

/** Where the server is, and how to show who asks. */
export interface ServerOptions {
  /** Base address; default `http://127.0.0.1:9797`. */
  readonly url?: string | undefined
  /** A file that holds a bearer token. */
  readonly tokenFile?: string | undefined
}

const DEFAULT_URL = 'http://127.0.0.1:9797'

/** The native API's errors, and those of the Prometheus API. */
const errorBody = z
  .object({ error: z.union([z.object({ message: z.string() }), z.string()]) })
  .transform(({ error }) => (typeof error === 'string' ? error : error.message))

/**
 * Asks the native API (or a façade) and holds the answer against a schema. `path` starts with `/`.
 * Throws AppError (STORAGE_UNAVAILABLE when the server cannot be reached, INVALID_ARGUMENT for a wrong URL, file or
 * request, INTERNAL for any other answer) with a message for the user.
 */
export async function askServer<Schema extends z.ZodType>(
  io: CliIo,
  options: ServerOptions,
  path: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const base = options.url ?? DEFAULT_URL
  if (!URL.canParse(base) || !/^https?:/.test(base)) {
    throw new AppError('INVALID_ARGUMENT', `Cannot ask ${base}: expected a URL such as ${DEFAULT_URL}`)
  }
  const response = await send(io, `${base.replace(/\/+$/, '')}${path}`, await readToken(options.tokenFile))
  const text = await response.text()
  const json = parseJson(text)
  if (!response.ok) {
    const parsed = errorBody.safeParse(json)
    throw new AppError(
      response.status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL',
      parsed.success ? parsed.data : `Cannot ask ${base}: it answers ${response.status}`,
    )
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new AppError('INTERNAL', `Cannot read the answer of ${base}: it is not in meshwatch's form`, {
    cause: parsed.error,
  })
}

async function send(io: CliIo, url: string, token: string | null): Promise<Response> {
  try {
    return await io.fetch(url, {
      headers: {
        accept: 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
    })
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    throw new AppError('STORAGE_UNAVAILABLE', `Cannot reach ${new URL(url).origin}: ${errorMessage(cause)}`, {
      cause: error,
    })
  }
}

async function readToken(file: string | undefined): Promise<string | null> {
  if (file === undefined) return null
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new AppError('INVALID_ARGUMENT', `Cannot read the token file ${file}: ${errorMessage(error)}`)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
