import { expect, test } from 'vitest'
import { labelsFrom } from '../../model/labels.ts'
import { parseMatchers } from '../../model/parse-matchers.ts'
import { parseAlertmanagerConfig } from '../configuration/parse-alertmanager-config.ts'
import { groupKey, groupLabelsOf, matchersKey } from './group-key.ts'
import { matchRoutes } from './route.ts'

const { config } = parseAlertmanagerConfig(
  `
route:
  receiver: default
  group_by: [alertname]
  routes:
    - matchers: [env="prod"]
      group_by: [alertname, cluster, service]
      receiver: prod
      routes:
        - matchers: [team=~"a|b"]
          receiver: ab
          continue: true
        - matchers: [team!="c"]
          receiver: not-c
    - matchers: [env=~"prod|test"]
      receiver: second
    - matchers: [env="dev"]
      receiver: dev
      continue: true
    - matchers: [env="dev", all="yes"]
      receiver: dev-all
      group_by: ['...']
receivers: [{name: default}, {name: prod}, {name: ab}, {name: not-c}, {name: second}, {name: dev}, {name: dev-all}]
`,
  { folder: '.', readTemplates: () => [] },
)
if (config === null) throw new Error('The configuration of this test is bad')
const { route } = config

test.each([
  [{}, ['default']],
  [{ env: 'prod', team: 'a' }, ['ab', 'not-c']],
  [{ env: 'prod' }, ['not-c']],
  [{ env: 'prod', team: 'c' }, ['prod']],
  [{ env: 'test' }, ['second']],
  [{ env: 'dev' }, ['dev']],
  [{ env: 'dev', all: 'yes' }, ['dev', 'dev-all']],
  [{ env: 'production' }, ['default']],
])('%j ends at %j', (labels, receivers) => {
  expect(matchRoutes(route, labelsFrom(Object.entries(labels))).map(({ receiver }) => receiver)).toEqual(
    receivers,
  )
})

test('group keys are what Alertmanager writes', () => {
  const labels = labelsFrom(
    Object.entries({ env: 'prod', team: 'c', alertname: 'HighErrorRate', cluster: 'aa', service: 'api' }),
  )
  const [prod] = matchRoutes(route, labels)
  expect(prod && groupKey(prod, groupLabelsOf(prod, labels))).toBe(
    '{}/{env="prod"}:{alertname="HighErrorRate", cluster="aa", service="api"}',
  )
  expect(groupKey(route, [])).toBe('{}:{}')
  expect(matchersKey(parseMatchers('b="x\\ny",a!~"q\\"",a="q","ü x"=z'))).toBe(
    '{a="q",a!~"q\\"",b="x\\ny","ü x"="z"}',
  )
})
