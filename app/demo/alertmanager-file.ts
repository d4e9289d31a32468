/** The Alertmanager configuration of the demo: its own alerts go to its mailbox by both channels, the others to nobody. */
export function alertmanagerFile(sinks: {
  /** `127.0.0.1:port`. */
  readonly smtp: string
  readonly mailbox: string
  readonly signingSecret: string
}): string {
  return `# Made by the demo.
global:
  smtp_smarthost: ${sinks.smtp}
  smtp_from: meshwatch@demo.example
  smtp_require_tls: false
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 1s
  group_interval: 3s
  repeat_interval: 1h
  routes:
  - receiver: on-call
    matchers: ['team="demo"']
receivers:
- name: nobody
- name: on-call
  email_configs:
  - { to: on-call@demo.example, send_resolved: true }
  webhook_configs:
  - { url: 'http://${sinks.mailbox}/webhook', signing_secret: ${sinks.signingSecret} }
`
}
