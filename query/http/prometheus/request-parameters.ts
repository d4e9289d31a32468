import type { FastifyRequest } from 'fastify'
import type { QueryString } from '../query-values.ts'

/** The parameters of a request: those of a form before those of the URL. */
export function parametersOf(request: FastifyRequest): QueryString {
  const inUrl = request.query as QueryString
  const inForm = (request.body ?? {}) as QueryString
  const names = new Set([...Object.keys(inForm), ...Object.keys(inUrl)])
  return Object.fromEntries(
    [...names].map((name) => [name, [inForm[name] ?? [], inUrl[name] ?? []].flat()] as const),
  )
}
