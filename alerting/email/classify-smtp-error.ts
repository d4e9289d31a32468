/** What a mail server or connection said. */
export interface SmtpFailure {
  /** Nodemailer's word for the stage: EENVELOPE, EAUTH, ETLS, ESOCKET, ECONNECTION, ETIMEDOUT, EMESSAGE … */
  readonly code?: string
  /** The server's reply, 400 to 599. */
  readonly responseCode?: number
}

/**
 * Whether the same mail may be taken later. A reply of 5xx is for good, and so is anything wrong with the message itself; 4xx (greylisting,
 * a full mailbox), refused or broken connections, time-outs and a server that offers no TLS may pass.
 */
export function isRetryableSmtp(failure: SmtpFailure): boolean {
  // A server that refuses TLS may be one of several, or be mended: Alertmanager tries again too.
  if (failure.code === 'ETLS') return true
  if (failure.responseCode !== undefined) return failure.responseCode < 500
  return failure.code !== 'EMESSAGE' && failure.code !== 'EENVELOPE'
}
