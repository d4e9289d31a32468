import { createHash } from 'node:crypto'
import { labelValue } from '../../model/labels.ts'
import { escapeHtml } from '../../model/template/builtin-functions.ts'
import { oneLine } from '../message/one-line.ts'
import type { MessageRenderer } from '../message/render-message.ts'
import { commonPairs } from '../message/template-data.ts'
import type { Notification } from '../notifier.ts'
import type { EmailSettings } from '../receiver.ts'

/** A mail's content, without its recipients. */
export interface ComposedMail {
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly messageId: string
  readonly headers: Readonly<Record<string, string>>
}

/** Longer subjects are cut by clients anyway. */
const MAX_SUBJECT = 200

/**
 * Makes subject, both bodies and headers of a mail. The Message-ID is the same for every attempt, so that a mail that was taken by the
 * server although we were not told is recognised; `References` ties a group's mails together. `domain`: of the sender's address.
 */
export function composeMail(
  notification: Notification,
  settings: EmailSettings,
  renderer: MessageRenderer,
  domain: string,
  nowMs: number,
): ComposedMail {
  const configured = Object.entries(settings.headers)
  const subjectTemplate = configured.find(([name]) => name.toLowerCase() === 'subject')?.[1] ?? null
  const subject = renderer.render(
    { template: subjectTemplate, fallback: 'email.default.subject', mode: 'text' },
    notification,
    nowMs,
  )
  const text = renderer.render(
    { template: settings.text, fallback: 'email.default.text', mode: 'text' },
    notification,
    nowMs,
  )
  const html = renderer.render(
    { template: settings.html, fallback: 'email.default.html', mode: 'html' },
    notification,
    nowMs,
  )
  const problems = [subject.problem, text.problem, html.problem].filter((problem) => problem !== null)
  const note =
    problems.length === 0 ? '' : `\n\nA configured template could not be used: ${problems.join('; ')}\n`
  const headers: Record<string, string> = {}
  for (const [name, template] of configured) {
    if (/^(?:subject|to|from|cc|bcc|message-id|content-.*)$/i.test(name)) continue
    const value = renderer.render(
      { template, fallback: 'email.default.subject', mode: 'text' },
      notification,
      nowMs,
    )
    headers[name] = oneLine(value.text)
  }
  const thread = threadOf(notification, settings, nowMs)
  return {
    subject: oneLine(subject.text).slice(0, MAX_SUBJECT),
    text: printable(text.text) + note,
    html: note === '' ? html.text : html.text.replace('</body>', `<p>${escapeHtml(note.trim())}</p></body>`),
    messageId: `<${notification.id}@${domain}>`,
    headers: {
      ...headers,
      ...(thread === null
        ? {}
        : { References: `<${thread}@${domain}>`, 'In-Reply-To': `<${thread}@${domain}>` }),
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'X-Meshwatch-Alert-Status': notification.status,
      'X-Meshwatch-Alert-Group': createHash('sha256')
        .update(notification.groupKey)
        .digest('hex')
        .slice(0, 16),
      'X-Meshwatch-Alert-Severity': oneLine(severityOf(notification)) || 'none',
    },
  }
}

function severityOf(notification: Notification): string {
  return labelValue(commonPairs(notification.alerts.map(({ labels }) => labels)), 'severity')
}

function threadOf(notification: Notification, settings: EmailSettings, nowMs: number): string | null {
  if (!settings.threading.isEnabled) return null
  const day = settings.threading.threadByDate === 'daily' ? new Date(nowMs).toISOString().slice(0, 10) : ''
  const key = `${notification.tenant}\n${notification.receiver}\n${notification.groupKey}\n${day}`
  return `thread-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`
}

/** Control characters of labels do nothing good in a terminal mail reader. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '\uFFFD')
}
