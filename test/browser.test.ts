import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMessageBox } from '../app/demo/message-box.ts'
import { startMailboxPage } from '../app/demo/start-mailbox-page.ts'
import { systemClock } from '../runtime/clock.ts'
import { type BrowserPage, FAR_HOST, openBrowser, whyNoBrowser } from './support/open-browser.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'

const noBrowser = whyNoBrowser()
if (noBrowser !== null) console.warn(`Pages are not opened in a browser: ${noBrowser}`)

describe.skipIf(noBrowser !== null)('the description of the API in a browser', () => {
  let server: MeshwatchServer
  let url: string

  beforeAll(async () => {
    server = await startMeshwatch()
    url = server.url.replace('127.0.0.1', FAR_HOST)
  })

  afterAll(() => server.stop())

  test.each(['/api/docs', '/api/docs/'])('%s lists every operation and needs nobody else', async (path) => {
    await inBrowser(async ({ page, problems, requested }) => {
      const answer = await fetch(`${server.url}/api/openapi.json`)
      const { paths } = (await answer.json()) as { paths: Record<string, Record<string, unknown>> }
      const operations = Object.values(paths).flatMap(Object.keys)
      await page.goto(`${url}${path}`)
      await expect.poll(() => page.locator('.opblock').count()).toBe(operations.length)
      expect(operations.length).toBeGreaterThan(5)
      expect(problems).toEqual([])
      expect(requested.filter((one) => !one.startsWith(url) && !one.startsWith('data:'))).toEqual([])
    })
  })

  test('a question can be asked from it', async () => {
    await inBrowser(async ({ page, problems }) => {
      await page.goto(`${url}/api/docs`)
      const operation = page.locator('.opblock', { hasText: '/api/services' }).first()
      await operation.locator('.opblock-summary-control').click()
      await operation.getByRole('button', { name: 'Try it out' }).click()
      await operation.getByRole('button', { name: 'Execute' }).click()
      const shown = operation.locator('.live-responses-table')
      await expect.poll(() => shown.textContent({ timeout: 20_000 })).toContain('"services": []')
      expect(problems).toEqual([])
    })
  })

  test('a silence can be made from it, with what it fills in', async () => {
    await inBrowser(async ({ page, problems }) => {
      await page.goto(`${url}/api/docs`)
      const operation = page.locator('.opblock-post', { hasText: '/api/silences' }).first()
      await operation.locator('.opblock-summary-control').click()
      await operation.getByRole('button', { name: 'Try it out' }).click()
      await operation.getByRole('button', { name: 'Execute' }).click()
      const shown = operation.locator('.live-responses-table')
      await expect.poll(() => shown.textContent({ timeout: 20_000 })).toContain('"state": "active"')
      expect(problems).toEqual([])
    })
  })
})

describe.skipIf(noBrowser !== null)("the demo's mailbox in a browser", () => {
  test('shows the newest mail; what a sender put into title and body does nothing', async () => {
    const box = createMessageBox()
    const mailbox = await startMailboxPage({ port: 0, box, clock: systemClock, signingSecret: 'whsec_' })
    const attack =
      '<img src=x onerror="document.title=`taken`"><script>parent.document.title="taken"</script>'
    box.add({
      channel: 'mail',
      receivedAtMs: Date.UTC(2026, 10, 20),
      status: 'firing',
      alerts: ['A'],
      title: `[FIRING:1] ${attack}`,
      to: attack,
      text: attack,
      html: `<h1>Who is called</h1>${attack}`,
      note: '',
    })
    try {
      await inBrowser(async ({ page, problems }) => {
        await page.goto(`http://${mailbox.address}`)
        const body = page.frameLocator('iframe').locator('h1')
        await expect.poll(() => body.textContent({ timeout: 20_000 })).toBe('Who is called')
        expect(await page.locator('main h2').textContent()).toBe(`[FIRING:1] ${attack}`)
        expect(await page.title()).toBe('meshwatch demo: mailbox')
        // It was not even asked for: the policy of the page forbids it.
        expect(problems).toContain(`GET http://${mailbox.address}/messages/1/x: csp`)
      })
    } finally {
      await mailbox.close()
    }
  })
})

async function inBrowser(look: (browser: BrowserPage) => Promise<void>): Promise<void> {
  const browser = await openBrowser()
  try {
    await look(browser)
  } finally {
    await browser.close()
  }
}
