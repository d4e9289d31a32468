import { connect } from 'node:net'
import { createTransport } from 'nodemailer'
import { afterEach, expect, test } from 'vitest'
import { signWebhook } from '../../alerting/webhook/sign-webhook.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { LocalServer } from './listen-locally.ts'
import { createMessageBox, type MessageBox } from './message-box.ts'
import { startMailSink } from './start-mail-sink.ts'
import { startMailboxPage } from './start-mailbox-page.ts'

const SECRET = `whsec_${Buffer.from('a secret of enough bytes').toString('base64')}`
const closers: (() => Promise<void>)[] = []

afterEach(async () => {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
})

async function openPage(): Promise<{
  readonly page: LocalServer
  readonly box: MessageBox
  readonly url: string
}> {
  const box = createMessageBox()
  const page = await startMailboxPage({ port: 0, box, clock: systemClock, signingSecret: SECRET })
  closers.push(() => page.close())
  return { page, box, url: `http://${page.address}` }
}

async function openMailServer(box: MessageBox): Promise<LocalServer> {
  const sink = await startMailSink({ port: 0, box, clock: systemClock })
  closers.push(() => sink.close())
  return sink
}

const WEBHOOK = JSON.stringify({
  status: 'firing',
  receiver: 'on-call',
  alerts: [{ status: 'firing', labels: { alertname: 'DemoRetryStorm' } }],
})

test.each([
  ['signed', WEBHOOK, 'signature: valid'],
  ['changed on its way', WEBHOOK.replace('on-call', 'nobody'), 'signature: NOT VALID'],
])('a webhook that is %s is shown with what its signature is worth', async (_, body, note) => {
  const { box, url } = await openPage()
  const headers = { ...signWebhook(SECRET, 'id-1', systemClock.now(), WEBHOOK) }
  const response = await fetch(`${url}/webhook`, { method: 'POST', headers, body })
  expect(response.status).toBe(200)
  expect(box.list()).toMatchObject([
    { id: 1, channel: 'webhook', status: 'firing', alerts: ['DemoRetryStorm'], note },
  ])
})

test('what is no webhook is refused', async () => {
  const { box, url } = await openPage()
  for (const body of ['', '[]', '{"status":"maybe"}']) {
    expect((await fetch(`${url}/webhook`, { method: 'POST', body })).status).toBe(400)
  }
  expect(box.list()).toEqual([])
})

test('a mail is shown; its HTML can neither run nor load anything', async () => {
  const { box, url } = await openPage()
  const sink = await openMailServer(box)
  const [host, port] = sink.address.split(':')
  const transport = createTransport({ host, port: Number(port), ignoreTLS: true })
  await transport.sendMail({
    from: 'a@b.example',
    to: ['on-call@demo.example', 'second@demo.example'],
    subject: '[RESOLVED] DemoRetryStorm payments',
    headers: { 'X-Meshwatch-Alert-Status': 'resolved' },
    text: 'It is over — at last.',
    html: '<p>It is <script>alert(1)</script>over</p>',
  })
  transport.close()
  expect(await (await fetch(`${url}/messages`)).json()).toMatchObject([
    {
      channel: 'mail',
      status: 'resolved',
      alerts: ['DemoRetryStorm'],
      to: 'on-call@demo.example, second@demo.example',
      text: expect.stringContaining('It is over — at last.'),
      hasHtml: true,
    },
  ])
  const body = await fetch(`${url}/messages/1/html`)
  expect(await body.text()).toContain('<p>It is')
  const policy = body.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain('sandbox')
  expect(policy).not.toMatch(/script-src|allow-scripts/)
  expect((await fetch(`${url}/messages/2/html`)).status).toBe(404)
})

test('the page is there, and shows names of strangers as text only', async () => {
  const { url } = await openPage()
  const page = await fetch(url)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(await page.text()).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write/)
})

test('a mail client that breaks off does no harm', async () => {
  const box = createMessageBox()
  const sink = await openMailServer(box)
  const [host = '', port] = sink.address.split(':')
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), host, () =>
      socket.write('EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhal'),
    )
    socket.on('data', () => socket.destroy())
    socket.on('close', () => resolve())
  })
  const transport = createTransport({ host, port: Number(port), ignoreTLS: true })
  await transport.sendMail({ from: 'a@b.example', to: 'c@d.example', subject: 'after', text: 'x' })
  transport.close()
  expect(box.list().map(({ title }) => title)).toEqual(['after'])
})
