// Alerting as a process that can be killed: node alerting-process.ts DATA_DIR CONFIG_FILE [ALERTNAME]
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { createNotifierFactory } from '../../alerting/create-notifier-factory.ts'
import { startAlerting } from '../../alerting/start-alerting.ts'
import { systemClock } from '../../runtime/clock.ts'

const [dataDir = '', configFile = '', alertname] = process.argv.slice(2)
const alerting = await startAlerting({
  storage: null,
  clock: systemClock,
  logger: pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true })),
  registry: new Registry(),
  config: { configFile } as Parameters<typeof startAlerting>[0]['config'],
  dataDir,
  notifiers: createNotifierFactory({
    policy: { isPrivateAllowed: true, allow: [], deny: [] },
    programVersion: 'test',
  }),
  evidence: null,
  externalUrl: 'http://meshwatch.test',
})
if (alertname !== undefined) {
  const now = systemClock.now()
  alerting.receive([
    {
      tenant: 'default',
      labels: ['alertname', alertname],
      annotations: [],
      startsAtMs: now,
      endsAtMs: now + 600_000,
      isResolved: false,
      generatorUrl: '',
      value: 1,
      rule: null,
    },
  ])
}
process.stdout.write('ready\n')
