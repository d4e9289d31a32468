import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'

/** A page of a browser of its own, and what went wrong in it. */
export interface BrowserPage {
  readonly page: Page
  /** Errors of scripts, messages of the console that are errors, requests that failed or were refused: `GET url: why`. */
  readonly problems: readonly string[]
  /** Every address that was asked for. */
  readonly requested: readonly string[]
  close(): Promise<void>
}

/** A name for this machine that a browser does not know to be this machine: it is as strict with it as with any other. */
export const FAR_HOST = 'mesh.test'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** Why no browser can be opened here, for the test's reader; null: it can. */
export function whyNoBrowser(): string | null {
  return browserPath() === null ? `none of ${NAMES.join(', ')} is installed` : null
}

/** Opens Chromium, without a window, on an empty page. Throws when there is none. */
export async function openBrowser(): Promise<BrowserPage> {
  const executablePath = browserPath()
  if (executablePath === null) throw new Error(`Cannot open a browser: ${whyNoBrowser()}`)
  // Tests run as root in containers, where Chromium's own sandbox is not to be had.
  const browser: Browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', `--host-resolver-rules=MAP ${FAR_HOST} 127.0.0.1`],
  })
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } })
  const problems: string[] = []
  const requested: string[] = []
  page.on('pageerror', (error) => void problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  page.on('request', (request) => void requested.push(request.url()))
  page.on('requestfailed', (request) => {
    problems.push(`${request.method()} ${request.url()}: ${request.failure()?.errorText}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`GET ${response.url()}: ${response.status()}`)
  })
  return { page, problems, requested, close: () => browser.close() }
}

function browserPath(): string | null {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(directory, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not there.
      }
    }
  }
  return null
}
