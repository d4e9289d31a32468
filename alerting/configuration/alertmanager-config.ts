import type { Labels } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import type { TemplateFile } from '../notifier.ts'
import type { Receiver } from '../receiver.ts'
import type { Route } from '../routing/route.ts'
import type { TimeInterval } from './time-interval-schema.ts'

/** An entry of `inhibit_rules`. */
export interface InhibitRule {
  readonly name: string
  readonly sourceMatchers: readonly Matcher[]
  readonly targetMatchers: readonly Matcher[]
  readonly isSource: (labels: Labels) => boolean
  readonly isTarget: (labels: Labels) => boolean
  /** Labels that source and target must have in common; absent is the same as empty. */
  readonly equal: readonly string[]
}

/** An Alertmanager configuration, checked. */
export interface AlertmanagerConfig {
  /** How long an alert that came without an end is believed, milliseconds. */
  readonly resolveTimeoutMs: number
  readonly route: Route
  readonly receivers: ReadonlyMap<string, Receiver>
  readonly inhibitRules: readonly InhibitRule[]
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>
  readonly templates: readonly TemplateFile[]
  /** The file's text with `<secret>` for every secret. */
  readonly shownText: string
}
