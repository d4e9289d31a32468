import { AppError } from '../../runtime/errors.ts'

/** The versions of Prometheus' remote write protocol. */
export type WriteVersion = 1 | 2

const MEDIA_TYPE = 'application/x-protobuf'
const VERSIONS: ReadonlyMap<string, WriteVersion> = new Map([
  ['prometheus.WriteRequest', 1],
  ['io.prometheus.write.v2.Request', 2],
])

/**
 * The version of a message, by its `Content-Type` and `Content-Encoding`. As with Prometheus, a sender that names neither means 1.0 in Snappy.
 * Throws AppError UNSUPPORTED_MEDIA_TYPE.
 */
export function writeVersionOf(
  contentType: string | undefined,
  contentEncoding: string | undefined,
): WriteVersion {
  const encoding = (contentEncoding ?? '').trim().toLowerCase()
  if (encoding !== '' && encoding !== 'snappy') {
    throw unsupported(`Content-Encoding ${shown(contentEncoding)}: expected snappy`)
  }
  const [type = '', ...parameters] = (contentType ?? MEDIA_TYPE).split(';').map((part) => part.trim())
  const messages = parameters.flatMap((parameter) => {
    const [name = '', ...value] = parameter.split('=')
    return name.trim().toLowerCase() === 'proto'
      ? [
          value
            .join('=')
            .trim()
            .replace(/^"(.*)"$/, '$1'),
        ]
      : []
  })
  const version = messages.length === 0 ? 1 : VERSIONS.get(messages[0] ?? '')
  if (type.toLowerCase() !== MEDIA_TYPE || version === undefined) {
    const names = [...VERSIONS.keys()].join(' or ')
    throw unsupported(`Content-Type ${shown(contentType)}: expected ${MEDIA_TYPE}, proto=${names}`)
  }
  return version
}

function unsupported(problem: string): AppError {
  return new AppError('UNSUPPORTED_MEDIA_TYPE', `Cannot take the message: ${problem}`)
}

function shown(header: string | undefined): string {
  return header === undefined ? '(none)' : JSON.stringify(header.slice(0, 120))
}
