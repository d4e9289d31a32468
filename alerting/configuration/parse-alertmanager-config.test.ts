import { expect, test } from 'vitest'
import { CONFIG_CASES } from '../../test/support/alertmanager-configs.ts'
import { parseAlertmanagerConfig } from './parse-alertmanager-config.ts'

const options = { folder: '/etc/alertmanager', readTemplates: () => [] }

test.each(Object.entries(CONFIG_CASES))('%s', (_, { text, problems }) => {
  const found = parseAlertmanagerConfig(text, options).problems
  expect(found.map(({ path, message, line, column }) => `${line}:${column} ${path}: ${message}`)).toEqual(
    problems,
  )
})

test('what is configured, and what is inherited', () => {
  const { config } = parseAlertmanagerConfig(CONFIG_CASES['everything']?.text ?? '', options)
  expect(config?.route).toMatchObject({
    key: '{}',
    receiver: 'oncall',
    groupBy: ['cluster', 'alertname'],
    groupWaitMs: 30_000,
    repeatIntervalMs: 14_400_000,
  })
  const [page, other] = config?.route.routes ?? []
  expect(page).toMatchObject({
    key: '{}/{cluster=~"eu-.*|",severity="page"}',
    receiver: 'pager',
    groupBy: 'all',
    groupWaitMs: 30_000,
    muteTimeIntervals: ['weekend'],
  })
  expect(page?.routes[0]).toMatchObject({
    key: '{}/{cluster=~"eu-.*|",severity="page"}/{service=~"mysql|postgres",team="db"}',
    receiver: 'pager',
    doesContinue: true,
    muteTimeIntervals: [],
  })
  expect(other?.matchers).toHaveLength(2)
  const pager = config?.receivers.get('pager')
  expect(pager?.webhooks.map(({ maxAlerts, sendResolved }) => [maxAlerts, sendResolved])).toEqual([
    [10, true],
    [0, true],
  ])
  expect(pager?.webhooks[1]?.http.basicAuth).toEqual({
    username: 'u',
    password: { file: '/etc/alertmanager/secret.txt' },
  })
  expect(config?.receivers.get('oncall')?.emails[0]).toMatchObject({
    from: 'am@example.org',
    smarthost: { host: 'smtp.example.org', port: 587 },
    authUsername: 'am',
    requireTls: true,
    sendResolved: true,
  })
  expect(JSON.stringify(config?.receivers.get('pager'))).not.toContain('hunter2')
  expect(config?.shownText).not.toContain('hunter2')
  expect(config?.shownText).toContain('follow_redirects: true')
})

test('two nodes that look the same have ids of their own', () => {
  const { config } = parseAlertmanagerConfig(
    'route: {receiver: a, routes: [{matchers: [x=y], continue: true}, {matchers: [x=y]}]}\nreceivers: [{name: a}]',
    options,
  )
  const ids = config?.route.routes.map(({ id }) => id) ?? []
  expect(new Set(ids).size).toBe(2)
  expect(new Set(config?.route.routes.map(({ key }) => key)).size).toBe(1)
})
