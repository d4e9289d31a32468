import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '../../runtime/errors.ts'
import type { ByteLease } from '../receivers/byte-budget.ts'
import type { ReceiverOptions } from '../receivers/receiver.ts'
import { readBody } from '../receivers/request-body.ts'
import type { HttpAnswer } from '../receivers/send-answer.ts'
import { answerWrite, refusedWrite, type WriteAnswer, type WriteAnswerOptions } from './answer-write.ts'

/** Where remote write is taken, on every listener that takes it. */
export const WRITE_PATH = '/prometheus/api/v1/write'

/** Whether a request is for {@link WRITE_PATH}. */
export function isWriteRequest(request: IncomingMessage): boolean {
  const { url = '' } = request
  return url === WRITE_PATH || url.startsWith(`${WRITE_PATH}?`)
}

/** Takes one request of remote write on a receiver's listener, from its head to what is answered. Never rejects. */
export async function takeWrite(
  options: ReceiverOptions & { readonly writes: WriteAnswerOptions; readonly isClosing: boolean },
  request: IncomingMessage,
  response: ServerResponse,
  lease: ByteLease,
): Promise<HttpAnswer> {
  try {
    if (request.method !== 'POST') {
      throw new AppError(
        'METHOD_NOT_ALLOWED',
        `Cannot take the message: expected POST, got ${request.method}`,
      )
    }
    if (options.isClosing) throw new AppError('SHUTTING_DOWN', 'Cannot take the message: shutting down')
    const { headers } = request
    const { tenant } = options.access.authorize(
      {
        authorization: headers.authorization,
        'x-scope-orgid': headers['x-scope-orgid'] as string | undefined,
      },
      'ingest',
    )
    if (headers.expect !== undefined) {
      response.writeContinue()
      delete headers.expect
    }
    const body = await readBody(request, options.maxMessageBytes, lease)
    options.metrics.received('remote-write', 'metrics', body.length)
    const answer = await answerWrite(
      options.writes,
      {
        tenant,
        contentType: headers['content-type'],
        contentEncoding: headers['content-encoding'],
        body,
      },
      lease,
    )
    return toHttp(answer)
  } catch (error) {
    options.refusals.message('metrics', error)
    return toHttp(refusedWrite(error))
  }
}

function toHttp({ status, headers, body }: WriteAnswer): HttpAnswer {
  return { status, headers: { ...headers }, body: Buffer.from(body) }
}
