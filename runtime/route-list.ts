import type { FastifyInstance } from 'fastify'
import { AppError } from './errors.ts'

/**
 * Remembers the routes of a server from now on. Returns the function that says why a request found none: NOT_FOUND, or
 * METHOD_NOT_ALLOWED with `allow` in its details. (Fastify's router answers only for the method that was asked.)
 */
export function recordRoutes(app: FastifyInstance): (method: string, url: string) => AppError {
  const routes: { readonly method: string; readonly pattern: RegExp }[] = []
  app.addHook('onRoute', (route) => {
    // A route that takes every path (a browser UI's) is no evidence that this path exists.
    if (route.url === '*' || route.url === '/*') return
    for (const method of [route.method].flat()) routes.push({ method, pattern: pathPattern(route.url) })
  })
  return (method, url) => {
    const path = url.split('?', 1)[0] ?? ''
    const matching = routes.filter((route) => route.pattern.test(path)).map((route) => route.method)
    const allow = [...new Set(matching)].sort().join(', ')
    if (allow === '') return new AppError('NOT_FOUND', `Cannot find ${path}: there is no such path`)
    return new AppError('METHOD_NOT_ALLOWED', `Cannot ${method} ${path}: it answers to ${allow} only`, {
      details: { allow },
    })
  }
}

function pathPattern(url: string): RegExp {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:[^/]+/g, '[^/]+')
    .replace(/\*/g, '.*')
  return new RegExp(`^${source}/?$`)
}
