import PostalMime from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, describe, expect, test } from 'vitest'
import { labelsFrom } from '../../model/labels.ts'
import { createSecret } from '../../runtime/secret.ts'
import type { Evidence } from '../evidence.ts'
import { createMessageRenderer } from '../message/render-message.ts'
import type { AttemptContext, Notification, NotifiedAlert, TemplateFile } from '../notifier.ts'
import type { EmailSettings } from '../receiver.ts'
import { createEmailNotifier } from './create-email-notifier.ts'

const START = Date.parse('2026-11-20T03:02:05Z')
const NOW = Date.parse('2026-11-20T03:14:00Z')

function alert(labels: Record<string, string> = {}, fields: Partial<NotifiedAlert> = {}): NotifiedAlert {
  return {
    status: 'firing',
    labels: labelsFrom(
      Object.entries({
        alertname: 'MeshRetryStorm',
        cluster_name: 'payments',
        severity: 'critical',
        ...labels,
      }),
    ),
    annotations: labelsFrom([
      ['summary', 'retry storm on payments: load x3'],
      ['runbook_url', 'https://runbooks.example/storm'],
    ]),
    startsAtMs: START,
    endsAtMs: null,
    generatorUrl: 'https://mesh.example/graph?g0.expr=up',
    fingerprint: '429e47dc9b3c53a6',
    value: 3,
    rule: null,
    ...fields,
  }
}

const EVIDENCE: Evidence = {
  traces: [
    {
      traceId: 'ab'.repeat(16),
      why: 'slowest',
      durationMs: 2400,
      service: 'cart',
      operation: 'POST /pay',
      link: `https://mesh.example/api/traces/${'ab'.repeat(16)}`,
    },
  ],
  endpointsEjected: [
    { cluster: 'payments', endpoint: '10.0.0.7:9001', ejectedAtMs: START, reason: 'consecutive_5xx' },
  ],
  by503Flag: [{ flags: 'UO', count: 42, share: 0.75 }],
  links: [],
  problem: null,
}

function notification(fields: Partial<Notification> = {}): Notification {
  return {
    id: 'n-7',
    tenant: 'default',
    receiver: 'oncall',
    groupKey: '{}:{alertname="MeshRetryStorm"}',
    groupLabels: labelsFrom([['alertname', 'MeshRetryStorm']]),
    routeLabels: [],
    status: 'firing',
    reason: 'first notification',
    alerts: [alert()],
    createdAtMs: NOW,
    isLate: false,
    externalUrl: 'https://mesh.example',
    evidence: EVIDENCE,
    ...fields,
  }
}

const attempt = (fields: Partial<AttemptContext> = {}): AttemptContext => ({
  attempt: 1,
  nowMs: NOW,
  recipients: null,
  signal: AbortSignal.timeout(60_000),
  ...fields,
})

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

interface Taken {
  readonly to: readonly string[]
  readonly raw: string
}

/** A real mail server on a free port. */
async function mailServer(options: SMTPServerOptions = {}): Promise<{ port: number; taken: Taken[] }> {
  const taken: Taken[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData: (stream, session, callback) => {
      let raw = ''
      stream.on('data', (piece: Buffer) => {
        raw += piece.toString('utf8')
      })
      stream.on('end', () => {
        taken.push({ to: session.envelope.rcptTo.map(({ address }) => address), raw })
        callback(null)
      })
    },
    ...options,
  })
  // A client that refuses our certificate is what some tests are about.
  server.on('error', () => undefined)
  const port = await new Promise<number>((resolve) => {
    const listener = server.listen(0, '127.0.0.1', () => {
      const address = listener.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  closing.push(() => new Promise((resolve) => server.close(() => resolve())))
  return { port, taken }
}

function settings(port: number, fields: Partial<EmailSettings> = {}): EmailSettings {
  return {
    kind: 'email',
    sendResolved: true,
    to: 'oncall@example.org',
    from: 'meshwatch <mesh@example.org>',
    smarthost: { host: '127.0.0.1', port },
    hello: 'localhost',
    authUsername: null,
    authPassword: null,
    authIdentity: null,
    authSecret: null,
    requireTls: false,
    forceImplicitTls: null,
    tls: {
      caFile: null,
      ca: null,
      certFile: null,
      keyFile: null,
      serverName: null,
      insecureSkipVerify: false,
    },
    html: null,
    text: null,
    headers: {},
    threading: { isEnabled: false, threadByDate: 'none' },
    ...fields,
  }
}

const notifier = (emailSettings: EmailSettings, files: readonly TemplateFile[] = []) =>
  createEmailNotifier(emailSettings, createMessageRenderer(files))

describe('a mail', () => {
  test('says in both bodies what broke, since when, who, which traces', async () => {
    const { port, taken } = await mailServer()
    const outcome = await notifier(settings(port)).notify(notification(), attempt())
    expect(outcome).toMatchObject({
      outcome: 'delivered',
      receipt: { recipients: [{ recipient: 'oncall@example.org', fate: 'accepted' }] },
    })
    const mail = await PostalMime.parse(taken[0]?.raw ?? '')
    expect(mail.subject).toBe('[FIRING:1] MeshRetryStorm payments (critical)')
    expect(mail.from).toMatchObject({ name: 'meshwatch', address: 'mesh@example.org' })
    expect(mail.messageId).toBe('<n-7@example.org>')
    const header = (name: string) => mail.headers.find(({ key }) => key === name)?.value
    expect(header('auto-submitted')).toBe('auto-generated')
    expect(header('x-meshwatch-alert-status')).toBe('firing')
    expect(header('x-meshwatch-alert-severity')).toBe('critical')
    const wanted = [
      'retry storm on payments: load x3',
      '2026-11-20 03:02:05 UTC',
      'cluster_name=payments',
      'https://runbooks.example/storm',
      `https://mesh.example/api/traces/${'ab'.repeat(16)}`,
      '10.0.0.7:9001',
      'UO',
      '75%',
    ]
    for (const part of wanted) {
      expect(mail.text).toContain(part)
      expect(mail.html).toContain(part)
    }
    expect(mail.text).not.toContain('<no value>')
    expect(mail.html).not.toContain('no value')
  })

  test('says that it is over, and after how long', async () => {
    const { port, taken } = await mailServer()
    const resolved = alert({}, { status: 'resolved', endsAtMs: START + 605_000 })
    const sent = notification({ status: 'resolved', alerts: [resolved], isLate: true, evidence: null })
    await notifier(settings(port)).notify(sent, attempt())
    const mail = await PostalMime.parse(taken[0]?.raw ?? '')
    expect(mail.subject).toBe('[LATE] [RESOLVED] MeshRetryStorm payments (critical)')
    expect(mail.text).toContain('after 10m 5s')
    expect(mail.text).toContain('This message is late')
    expect(mail.html).toContain('after 10m 5s')
  })

  test('keeps its Message-ID over attempts, and a group its thread', async () => {
    const { port, taken } = await mailServer()
    const threaded = notifier(settings(port, { threading: { isEnabled: true, threadByDate: 'daily' } }))
    await threaded.notify(notification(), attempt())
    await threaded.notify(notification(), attempt({ attempt: 2 }))
    await threaded.notify(notification({ id: 'n-8' }), attempt())
    const mails = await Promise.all(taken.map(({ raw }) => PostalMime.parse(raw)))
    expect(mails.map(({ messageId }) => messageId)).toEqual([
      '<n-7@example.org>',
      '<n-7@example.org>',
      '<n-8@example.org>',
    ])
    expect(new Set(mails.map(({ references }) => references)).size).toBe(1)
    expect(mails[0]?.references).toMatch(/^<thread-[0-9a-f]{32}@example\.org>$/)
  })

  test('is not led astray by what a label holds', async () => {
    const { port, taken } = await mailServer()
    const evil = '"><script>alert(1)</script>\r\nBcc: evil@example.com\u0007,x@y.z'
    const hostile = alert(
      { alertname: evil, service: evil, severity: evil },
      { generatorUrl: 'javascript:alert(1)', annotations: labelsFrom([['summary', evil]]) },
    )
    await notifier(settings(port)).notify(notification({ alerts: [hostile] }), attempt())
    expect(taken[0]?.to).toEqual(['oncall@example.org'])
    const mail = await PostalMime.parse(taken[0]?.raw ?? '')
    expect(mail.bcc ?? []).toEqual([])
    expect(mail.headers.map(({ key }) => key)).not.toContain('bcc')
    expect(mail.html).not.toContain('<script')
    expect(mail.html).not.toContain('href="javascript')
    expect(mail.text).not.toContain('\u0007')
    expect(mail.subject).not.toMatch(/[\r\n]/)
  })

  test('uses configured templates, and falls back to ours when one fails', async () => {
    const { port, taken } = await mailServer()
    const files = [
      { path: 'a.tmpl', text: '{{ define "mine" }}<b>{{ .CommonLabels.alertname }}</b>{{ end }}' },
    ]
    const own = settings(port, {
      html: '{{ template "mine" . }}',
      text: '{{ template "gone" . }}',
      headers: { Subject: 'S {{ .Status | toUpper }}', 'X-Team': '{{ .CommonLabels.severity }}' },
    })
    await notifier(own, files).notify(notification(), attempt())
    const mail = await PostalMime.parse(taken[0]?.raw ?? '')
    expect(mail.subject).toBe('S FIRING')
    expect(mail.headers.find(({ key }) => key === 'x-team')?.value).toBe('critical')
    expect(mail.html).toContain('<b>MeshRetryStorm</b>')
    expect(mail.text).toContain('retry storm on payments')
    expect(mail.text).toContain(
      'A configured template could not be used: template: email.default.text:1: template "gone" not defined',
    )
  })
})

describe('each recipient has a fate', () => {
  const three = 'a@example.org, B <b@example.org>, c@example.org'
  const replies: Readonly<Record<string, number>> = { 'b@example.org': 550, 'c@example.org': 451 }
  const answering = (codes: Readonly<Record<string, number>>): SMTPServerOptions => ({
    onRcptTo: ({ address }, _session, callback) => {
      const code = codes[address]
      if (code === undefined) callback()
      else callback(Object.assign(new Error('not now'), { responseCode: code }))
    },
  })

  test('some have it, one may get it later, one never', async () => {
    const { port, taken } = await mailServer(answering(replies))
    const outcome = await notifier(settings(port, { to: three })).notify(notification(), attempt())
    expect(outcome).toMatchObject({
      outcome: 'partially',
      retry: ['c@example.org'],
      receipt: {
        recipients: [
          { recipient: 'a@example.org', fate: 'accepted' },
          { recipient: 'b@example.org', fate: 'rejected' },
          { recipient: 'c@example.org', fate: 'retry' },
        ],
      },
    })
    expect(taken.map(({ to }) => to)).toEqual([['a@example.org']])
  })

  test('the next attempt asks only those who are left', async () => {
    const { port, taken } = await mailServer()
    await notifier(settings(port, { to: three })).notify(
      notification(),
      attempt({ recipients: ['c@example.org'] }),
    )
    expect(taken.map(({ to }) => to)).toEqual([['c@example.org']])
  })

  test.each([
    [550, 'permanent'],
    [451, 'retry'],
  ])('all refused with %i: %s', async (code, expected) => {
    const { port } = await mailServer(answering({ 'oncall@example.org': code }))
    expect(await notifier(settings(port)).notify(notification(), attempt())).toMatchObject({
      outcome: expected,
    })
  })
})

describe('what goes wrong', () => {
  test('nobody listens: later', async () => {
    expect(await notifier(settings(1)).notify(notification(), attempt())).toMatchObject({ outcome: 'retry' })
  })

  test('TLS is wanted and not offered: later, and nothing was said in the clear', async () => {
    const { port, taken } = await mailServer()
    const outcome = await notifier(settings(port, { requireTls: true })).notify(notification(), attempt())
    expect(outcome).toMatchObject({ outcome: 'retry' })
    expect(taken).toEqual([])
  })

  test('a certificate nobody vouches for is refused, unless that is meant', async () => {
    const { port, taken } = await mailServer({ disabledCommands: [] })
    expect(
      await notifier(settings(port, { requireTls: true })).notify(notification(), attempt()),
    ).toMatchObject({
      outcome: 'retry',
    })
    const trusting = settings(port, {
      requireTls: true,
      tls: { ...settings(port).tls, insecureSkipVerify: true },
    })
    expect(await notifier(trusting).notify(notification(), attempt())).toMatchObject({ outcome: 'delivered' })
    expect(taken.length).toBe(1)
  })

  test('a wrong password is for good, a right one is taken', async () => {
    const { port } = await mailServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, callback) => {
        if (username === 'u' && password === 'right') callback(null, { user: 'u' })
        else callback(Object.assign(new Error('no'), { responseCode: 535 }))
      },
    })
    const as = (password: string) =>
      notifier(settings(port, { authUsername: 'u', authPassword: { value: createSecret(password) } }))
    const refused = await as('wrong').notify(notification(), attempt())
    expect(refused).toMatchObject({ outcome: 'permanent' })
    expect(JSON.stringify(refused)).not.toContain('wrong')
    expect(await as('right').notify(notification(), attempt())).toMatchObject({ outcome: 'delivered' })
  })

  test('a server that says nothing is given up with the attempt', async () => {
    const { port } = await mailServer({ onConnect: () => undefined })
    const controller = new AbortController()
    const sending = notifier(settings(port)).notify(notification(), attempt({ signal: controller.signal }))
    controller.abort()
    expect(await sending).toEqual({ outcome: 'retry', reason: 'the mail server did not answer in time' })
  })

  test.each([
    ['nobody', 'it is no mail address'],
    ['', 'there are none'],
    ['a@b.c\r\nBcc: x@y.z', 'there is a line break in them'],
  ])('the address %j cannot work', async (to, reason) => {
    const outcome = await notifier(settings(1, { to })).notify(notification(), attempt())
    expect(outcome).toMatchObject({ outcome: 'permanent', reason: expect.stringContaining(reason) })
  })
})
