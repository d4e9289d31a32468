import { createEmailNotifier } from './email/create-email-notifier.ts'
import { createMessageRenderer } from './message/render-message.ts'
import type { NotifierFactory } from './notifier.ts'
import { createWebhookNotifier, type WebhookOptions } from './webhook/create-webhook-notifier.ts'

/** The notifiers of this program. `email` throws SyntaxError when a file of `templates:` cannot be read. */
export function createNotifierFactory(options: WebhookOptions): NotifierFactory {
  return {
    webhook: (settings) => createWebhookNotifier(settings, options),
    email: (settings, context) => createEmailNotifier(settings, createMessageRenderer(context.templates)),
  }
}
