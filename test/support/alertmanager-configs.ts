/** A configuration file and what is wrong with it: `line:column path: message`. */
export interface ConfigCase {
  readonly text: string
  readonly problems: readonly string[]
  /** False: amtool thinks otherwise, and why is said beside it. */
  readonly isJudgedByAmtool?: false
}

const RECEIVERS = 'receivers: [{name: a}]\n'
const root = (rest: string): string => `route:\n  receiver: a\n${rest}${RECEIVERS}`

/** Good and bad Alertmanager configurations. */
export const CONFIG_CASES: Readonly<Record<string, ConfigCase>> = {
  everything: {
    problems: [],
    text: `global:
  resolve_timeout: 5m
  smtp_from: am@example.org
  smtp_smarthost: smtp.example.org:587
  smtp_hello: mesh.example.org
  smtp_auth_username: am
  smtp_auth_password: hunter2
  smtp_require_tls: true
  http_config:
    follow_redirects: true
route:
  receiver: oncall
  group_by: [cluster, alertname]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
    - matchers: ['severity="page"', 'cluster=~"eu-.*|"']
      receiver: pager
      group_by: ['...']
      mute_time_intervals: [weekend]
      routes:
        - match: {team: db}
          match_re: {service: 'mysql|postgres'}
          continue: true
    - matchers: ['{a="b",c!~"d"}']
receivers:
  - name: oncall
    email_configs:
      - to: 'a@example.org, b@example.org'
        headers: {Subject: 'x {{ .Status }}'}
        send_resolved: true
  - name: pager
    webhook_configs:
      - url: http://127.0.0.1:9/hunter2
        max_alerts: 10
        http_config:
          authorization: {credentials: hunter2}
          tls_config: {insecure_skip_verify: true}
      - url: https://hooks.example.org/x
        http_config:
          basic_auth: {username: u, password_file: secret.txt}
inhibit_rules:
  - source_matchers: [severity="page"]
    target_matchers: [severity="warn"]
    equal: [cluster]
  - source_match: {alertname: Down}
    target_match_re: {alertname: 'Slow|Flaky'}
mute_time_intervals:
  - name: night
    time_intervals:
      - times: [{start_time: '22:00', end_time: '24:00'}]
time_intervals:
  - name: weekend
    time_intervals:
      - weekdays: ['saturday', 'sunday']
        days_of_month: ['1:5', '-3:-1', 7]
        months: ['january:march', '12']
        years: ['2026:2027', 2030]
        times: [{start_time: '17:00', end_time: '24:00'}]
        location: 'Europe/Berlin'
`,
  },
  minimal: { problems: [], text: root('') },
  'no receiver at the root': {
    problems: ['1:8 route: root route must specify a default receiver'],
    text: `route: {}\n${RECEIVERS}`,
  },
  'no route': {
    problems: ['1:1 route: Invalid input: expected object, received undefined'],
    text: RECEIVERS,
  },
  'unknown fields, all of them at their places': {
    problems: ['3:3 route.group_bye: unknown field "group_bye"', '5:1 rooute: unknown field "rooute"'],
    text: root('  group_bye: [x]\n').replace(RECEIVERS, `${RECEIVERS}rooute: {}\n`),
  },
  'a receiver that is not there': {
    problems: ['4:17 route.routes.0.receiver: undefined receiver "b" used in route'],
    text: root('  routes:\n    - receiver: b\n'),
  },
  'a time interval that is not there': {
    problems: ['4:29 route.routes.0.mute_time_intervals.0: undefined time interval "x" used in route'],
    text: root('  routes:\n    - mute_time_intervals: [x]\n'),
  },
  'matchers at the root': {
    problems: ['2:3 route: root route must not have any matchers'],
    text: root("  matchers: ['a=b']\n"),
  },
  'a bad matcher': {
    problems: [
      '4:18 route.routes.0.matchers.0: bad matcher format: 3:4: "b": expected an operator such as =, !=, =~ or !~',
    ],
    text: root("  routes:\n    - matchers: ['a  b']\n"),
  },
  'a bad pattern': {
    problems: ['4:21 route.routes.0.match_re.a: error parsing regexp: missing closing ): `(?s)(`'],
    text: root("  routes:\n    - match_re: {a: '('}\n"),
  },
  'a zero interval': {
    problems: ['3:19 route.group_interval: cannot be zero'],
    text: root('  group_interval: 0s\n'),
  },
  'a bad duration': {
    problems: ['3:15 route.group_wait: expected a duration such as 30s, 5m or 1h30m'],
    text: root('  group_wait: soon\n'),
  },
  'two receivers of one name': {
    problems: ['3:31 receivers.1.name: receiver name "a" is not unique'],
    text: root('').replace(RECEIVERS, 'receivers: [{name: a}, {name: a}]\n'),
  },
  'a webhook without URL': {
    problems: ['3:41 receivers.0.webhook_configs.0: one of url or url_file must be configured'],
    text: root('').replace('{name: a}', '{name: a, webhook_configs: [{max_alerts: 1}]}'),
  },
  'email without smarthost': {
    problems: [
      '3:39 receivers.0.email_configs.0: no smtp_smarthost is configured globally, and no smarthost here',
      '3:39 receivers.0.email_configs.0: no smtp_from is configured globally, and no from here',
    ],
    text: root('').replace('{name: a}', '{name: a, email_configs: [{to: x@example.org}]}'),
  },
  'a secret and its file': {
    problems: ['1:9 global: at most one of smtp_auth_password, smtp_auth_password_file must be configured'],
    text: `global: {smtp_auth_password: x, smtp_auth_password_file: y}\n${root('')}`,
  },
  'duplicate headers': {
    problems: [
      '3:114 receivers.0.email_configs.0.headers.subject: duplicate header "subject" in email config',
    ],
    text: root('').replace(
      '{name: a}',
      '{name: a, email_configs: [{to: x@y.z, from: a@b.c, smarthost: "h:25", headers: {Subject: a, subject: b}}]}',
    ),
  },
  'a bad time range': {
    problems: [
      '2:39 time_intervals.0.time_intervals.0.times.0: start time cannot be equal or greater than end time',
    ],
    text: `time_intervals:\n- {name: x, time_intervals: [{times: [{start_time: '10:00', end_time: '09:00'}]}]}\n${root('')}`,
  },
  'wildcard group_by beside labels': {
    problems: [
      "3:13 route.group_by: cannot have wildcard group_by ('...') and other labels at the same time",
    ],
    text: root("  group_by: ['...', a]\n"),
  },
  'not YAML': {
    problems: ['1:9 : Flow map in block collection must be sufficiently indented and end with a }'],
    text: 'route: {',
  },
  // amtool knows these receivers.
  'a kind of receiver that is not supported': {
    isJudgedByAmtool: false,
    problems: [
      '3:23 receivers.0.slack_configs: slack_configs are not supported: webhook_configs and email_configs are',
    ],
    text: root('').replace('{name: a}', '{name: a, slack_configs: [{api_url: "http://x/"}]}'),
  },
  // Ours, and newer than Debian's amtool.
  'fields of later versions and our own': {
    isJudgedByAmtool: false,
    problems: [],
    text: `${root('  labels: {owner: sre}\n').replace(
      '{name: a}',
      '{name: a, labels: {team: x}, webhook_configs: [{url: "http://x/", timeout: 10s, signing_secret: whsec_x}]}',
    )}inhibit_rules: [{name: n, source_matchers: [a=b], target_matchers: [c=d]}]\n`,
  },
}
