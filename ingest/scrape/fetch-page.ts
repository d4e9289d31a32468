import { readFileSync } from 'node:fs'
import { STATUS_CODES } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Agent, type Dispatcher, interceptors } from 'undici'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import type { ScrapeTarget } from './build-targets.ts'
import type { ScrapeJob } from './scrape-job.ts'
import { acceptHeader, type PageFormat, pageFormat, wantedProtocols } from './scrape-protocols.ts'

/** A page as it came, unpacked. */
export interface Page {
  readonly bytes: Buffer
  readonly format: PageFormat
}

/** Asks targets of one job for their pages. */
export interface PageFetcher {
  /**
   * The page of a target. Throws AppError INTERNAL in one sentence when it does not come in time, with another status than 200, or larger
   * than the job allows.
   */
  fetch(target: ScrapeTarget, signal: AbortSignal): Promise<Page>
  close(): Promise<void>
}

const MOST_REDIRECTS = 10
/** Where a job says nothing: a page larger than that is somebody's mistake, or worse. */
const MOST_BYTES = 256 << 20

/** Opens connections for a job. Certificates are read from their files now, passwords at each request. Throws when a certificate cannot be read. */
export function createPageFetcher(job: ScrapeJob, programVersion: string): PageFetcher {
  const agent = createAgent(job)
  const accept = acceptHeader(wantedProtocols(job))
  const maxBytes = job.bodySizeLimit === 0 ? MOST_BYTES : job.bodySizeLimit
  return {
    async fetch(target, signal) {
      const timeout = AbortSignal.timeout(target.timeoutMs)
      try {
        const { statusCode, headers, body } = await agent.request({
          ...originAndPath(target.url),
          method: 'GET',
          signal: AbortSignal.any([signal, timeout]),
          headers: {
            accept,
            'accept-encoding': 'gzip',
            'user-agent': `meshwatch/${programVersion}`,
            'x-prometheus-scrape-timeout-seconds': String(target.timeoutMs / 1000),
            ...authorizationOf(job),
          },
        })
        if (statusCode !== 200) {
          await body.dump()
          throw failed(`server returned HTTP status ${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim())
        }
        const isPacked = String(headers['content-encoding'] ?? '').toLowerCase() === 'gzip'
        const collect = (chunks: AsyncIterable<Uint8Array>) => readBytes(chunks, maxBytes)
        const bytes = isPacked ? await pipeline(body, createGunzip(), collect) : await collect(body)
        const type = String(headers['content-type'] ?? '')
        return { bytes, format: pageFormat(type, job.fallbackScrapeProtocol) }
      } catch (error) {
        if (error instanceof AppError) throw error
        if (timeout.aborted) throw failed(`no answer within ${target.timeoutMs} ms`)
        throw failed(errorMessage(error))
      }
    },
    close: () => agent.close(),
  }
}

function createAgent(job: ScrapeJob): Dispatcher {
  const { tlsConfig } = job
  const agent = new Agent({
    connect: {
      rejectUnauthorized: !tlsConfig.insecureSkipVerify,
      ...(tlsConfig.caFile === undefined ? {} : { ca: readFileSync(tlsConfig.caFile) }),
      ...(tlsConfig.certFile === undefined ? {} : { cert: readFileSync(tlsConfig.certFile) }),
      ...(tlsConfig.keyFile === undefined ? {} : { key: readFileSync(tlsConfig.keyFile) }),
      ...(tlsConfig.serverName === undefined ? {} : { servername: tlsConfig.serverName }),
    },
    pipelining: 1,
  })
  return agent.compose(interceptors.redirect({ maxRedirections: job.followRedirects ? MOST_REDIRECTS : 0 }))
}

function authorizationOf(job: ScrapeJob): Record<string, string> {
  const { basicAuth, authorization } = job
  if (basicAuth !== undefined) {
    const password = basicAuth.passwordFile === undefined ? '' : secretOf(basicAuth.passwordFile)
    const pair = Buffer.from(`${basicAuth.username}:${password}`).toString('base64')
    return { authorization: `Basic ${pair}` }
  }
  if (authorization?.credentialsFile === undefined) return {}
  return { authorization: `${authorization.type} ${secretOf(authorization.credentialsFile)}` }
}

function secretOf(file: string): string {
  return readFileSync(file, 'utf8').trim()
}

async function readBytes(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > maxBytes) throw failed(`the page is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function failed(reason: string): AppError {
  return new AppError('INTERNAL', `Cannot scrape: ${reason}`)
}

function originAndPath(text: string): { readonly origin: string; readonly path: string } {
  const url = new URL(text)
  return { origin: url.origin, path: `${url.pathname}${url.search}` }
}
