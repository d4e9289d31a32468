import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import type { TemplateFile } from '../notifier.ts'
import { compileMatchers } from '../routing/route.ts'
import type { AlertmanagerConfig, InhibitRule } from './alertmanager-config.ts'
import { buildRoutes, routeSchema } from './build-routes.ts'
import { type ConfigProblem, problemAt, schemaProblems } from './config-problem.ts'
import { hideSecrets } from './hide-secrets.ts'
import {
  DEFAULT_HTTP,
  DEFAULT_TLS,
  exclusive,
  httpSchema,
  secretFile,
  secretValue,
  tlsSchema,
} from './http-schema.ts'
import {
  completeReceiver,
  type GlobalDefaults,
  receiverSchema,
  smarthost,
  UNSUPPORTED_RECEIVERS,
} from './receiver-schema.ts'
import { timeIntervalSchema } from './time-interval-schema.ts'
import { duration, equalMatchers, matcherList, patternMatchers } from './value-schemas.ts'

/** A configuration, or everything that is wrong with it. */
export type ParsedConfig =
  | { readonly config: AlertmanagerConfig; readonly problems: readonly [] }
  | { readonly config: null; readonly problems: readonly ConfigProblem[] }

/** What a configuration's text refers to. */
export interface ParseConfigOptions {
  /** Names of files are told from here. */
  readonly folder: string
  /** The files that patterns of `templates:` mean; throws when one cannot be read. */
  readonly readTemplates: (patterns: readonly string[]) => readonly TemplateFile[]
}

/**
 * Reads an Alertmanager configuration file: strict, all problems at once, each with its place. Files that hold secrets are not
 * opened. Receivers other than webhooks and emails are refused by name.
 */
export function parseAlertmanagerConfig(text: string, options: ParseConfigOptions): ParsedConfig {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true })
  if (document.errors.length > 0) {
    return refuse(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0])
        return {
          path: '',
          message: (error.message.split('\n', 1)[0] ?? '').replace(/ at line.*$/, ''),
          line,
          column: col,
        }
      }),
    )
  }
  const raw: unknown = document.toJS({ maxAliasCount: 100 })
  const parsed = fileSchema(options.folder).safeParse(raw ?? {})
  if (!parsed.success) {
    return refuse(
      schemaProblems(document, lines, parsed.error.issues, (key, path) =>
        UNSUPPORTED_RECEIVERS.has(key) && path[0] === 'receivers'
          ? `${key} are not supported: webhook_configs and email_configs are`
          : UNSUPPORTED_GLOBALS.test(key) && path[0] === 'global'
            ? `${key} is not supported: it belongs to a kind of receiver that is not`
            : UNSUPPORTED_FIELDS.has(key)
              ? `${key} is not supported`
              : null,
      ),
    )
  }
  const problems: ConfigProblem[] = []
  const report = (path: readonly PropertyKey[], message: string) => {
    problems.push(problemAt(document, lines, path, message))
  }
  const file = parsed.data
  const defaults = globalDefaults(file.global)

  const receivers = new Map(
    file.receivers.map((receiver, index) => [
      receiver.name,
      completeReceiver(receiver, defaults, (path, message) => report(['receivers', index, ...path], message)),
    ]),
  )
  reportDuplicates(file.receivers, 'receivers', 'receiver', report)
  const intervals = [
    ...(file.mute_time_intervals ?? []).map((entry) => ({ ...entry, place: 'mute_time_intervals' })),
    ...(file.time_intervals ?? []).map((entry) => ({ ...entry, place: 'time_intervals' })),
  ]
  reportDuplicates(intervals, 'time_intervals', 'time interval', report)
  const timeIntervals = new Map(intervals.map(({ name, time_intervals }) => [name, time_intervals]))
  const route = buildRoutes(file.route, {
    hasReceiver: (name) => receivers.has(name),
    hasTimeInterval: (name) => timeIntervals.has(name),
    report,
  })
  let templates: readonly TemplateFile[] = []
  try {
    templates = options.readTemplates(file.templates ?? [])
  } catch (error) {
    report(['templates'], error instanceof Error ? error.message : String(error))
  }
  if (problems.length > 0 || route === null) return refuse(problems)
  return {
    config: {
      resolveTimeoutMs: file.global?.resolve_timeout ?? 300_000,
      route,
      receivers,
      inhibitRules: (file.inhibit_rules ?? []).map(inhibitRule),
      timeIntervals,
      templates,
      shownText: hideSecrets(document),
    },
    problems: [],
  }
}

const UNSUPPORTED_GLOBALS =
  /^(slack|pagerduty|opsgenie|wechat|victorops|telegram|webex|rocketchat|jira|mattermost)_/
const UNSUPPORTED_FIELDS: ReadonlySet<string> = new Set([
  'payload',
  'proxy_url',
  'proxy_from_environment',
  'proxy_connect_header',
  'no_proxy',
  'oauth2',
  'tracing',
  'cert',
  'key',
  'min_version',
  'max_version',
])

function refuse(problems: readonly ConfigProblem[]): ParsedConfig {
  return {
    config: null,
    problems: [...problems].sort((a, b) => a.line - b.line || a.column - b.column),
  }
}

function fileSchema(folder: string) {
  const file = secretFile(folder)
  const interval = z.strictObject({
    name: z.string().min(1, 'missing name in time interval'),
    time_intervals: z.array(timeIntervalSchema),
  })
  return z.strictObject({
    global: z
      .strictObject({
        resolve_timeout: duration.optional(),
        http_config: httpSchema(folder).optional(),
        smtp_from: z.string().optional(),
        smtp_hello: z.string().optional(),
        smtp_smarthost: smarthost.optional(),
        smtp_auth_username: z.string().optional(),
        smtp_auth_password: secretValue.optional(),
        smtp_auth_password_file: file.optional(),
        smtp_auth_secret: secretValue.optional(),
        smtp_auth_secret_file: file.optional(),
        smtp_auth_identity: z.string().optional(),
        smtp_require_tls: z.boolean().optional(),
        smtp_force_implicit_tls: z.boolean().nullish(),
        smtp_tls_config: tlsSchema(folder).optional(),
      })
      .superRefine(exclusive('smtp_auth_password', 'smtp_auth_password_file'))
      .superRefine(exclusive('smtp_auth_secret', 'smtp_auth_secret_file'))
      .nullish(),
    route: routeSchema,
    receivers: z.array(receiverSchema(folder)).default([]),
    inhibit_rules: z.array(inhibitSchema).nullish(),
    mute_time_intervals: z.array(interval).nullish(),
    time_intervals: z.array(interval).nullish(),
    templates: z.array(z.string()).nullish(),
  })
}

const inhibitSchema = z.strictObject({
  name: z.string().default(''),
  source_match: equalMatchers.optional(),
  source_match_re: patternMatchers.optional(),
  source_matchers: matcherList.optional(),
  target_match: equalMatchers.optional(),
  target_match_re: patternMatchers.optional(),
  target_matchers: matcherList.optional(),
  equal: z.array(z.string()).nullish(),
})

function inhibitRule(given: z.output<typeof inhibitSchema>): InhibitRule {
  const sourceMatchers = [
    ...(given.source_match ?? []),
    ...(given.source_match_re ?? []),
    ...(given.source_matchers ?? []),
  ]
  const targetMatchers = [
    ...(given.target_match ?? []),
    ...(given.target_match_re ?? []),
    ...(given.target_matchers ?? []),
  ]
  return {
    name: given.name,
    sourceMatchers,
    targetMatchers,
    isSource: compileMatchers(sourceMatchers),
    isTarget: compileMatchers(targetMatchers),
    equal: given.equal ?? [],
  }
}

type GlobalSection = z.output<ReturnType<typeof fileSchema>>['global']

function globalDefaults(global: GlobalSection): GlobalDefaults {
  return {
    http: global?.http_config ?? DEFAULT_HTTP,
    smtp: {
      from: global?.smtp_from ?? null,
      smarthost: global?.smtp_smarthost ?? null,
      hello: global?.smtp_hello ?? 'localhost',
      authUsername: global?.smtp_auth_username ?? null,
      authPassword: global?.smtp_auth_password ?? global?.smtp_auth_password_file ?? null,
      authIdentity: global?.smtp_auth_identity ?? null,
      authSecret: global?.smtp_auth_secret ?? global?.smtp_auth_secret_file ?? null,
      requireTls: global?.smtp_require_tls ?? true,
      forceImplicitTls: global?.smtp_force_implicit_tls ?? null,
      tls: global?.smtp_tls_config ?? DEFAULT_TLS,
    },
  }
}

function reportDuplicates(
  entries: readonly { readonly name: string }[],
  place: string,
  what: string,
  report: (path: readonly PropertyKey[], message: string) => void,
): void {
  const seen = new Set<string>()
  for (const [index, { name }] of entries.entries()) {
    if (seen.has(name)) report([place, index, 'name'], `${what} name ${JSON.stringify(name)} is not unique`)
    seen.add(name)
  }
}
