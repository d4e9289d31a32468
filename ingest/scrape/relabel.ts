import { createHash } from 'node:crypto'
import { RE2JS } from 're2js'
import { expandMatch } from '../../model/expand-match.ts'
import {
  isClassicLabelName,
  keepLabels,
  type Labels,
  labelPairs,
  labelsFrom,
  labelValue,
  withLabel,
} from '../../model/labels.ts'
import type { RelabelRule } from './relabel-rule.ts'

/** Relabels labels; null when they are dropped. */
export type Relabel = (labels: Labels) => Labels | null

/**
 * The relabelling that rules make, one after the other, as Prometheus applies them. Labels that become empty are removed. Throws what
 * RE2JS throws for a pattern that is none.
 */
export function createRelabel(rules: readonly RelabelRule[]): Relabel {
  const compiled = rules.map((rule) => ({ rule, regex: RE2JS.compile(rule.regex, RE2JS.DOTALL) }))
  return (labels) => {
    let now: Labels | null = labels
    for (const { rule, regex } of compiled) {
      now = applyRule(now, rule, regex)
      if (now === null) return null
    }
    return now
  }
}

function applyRule(labels: Labels, rule: RelabelRule, regex: RE2JS): Labels | null {
  const { targetLabel } = rule
  const value = rule.sourceLabels.map((name) => labelValue(labels, name)).join(rule.separator)
  switch (rule.action) {
    case 'keep':
      return regex.testExact(value) ? labels : null
    case 'drop':
      return regex.testExact(value) ? null : labels
    case 'keepequal':
      return labelValue(labels, targetLabel) === value ? labels : null
    case 'dropequal':
      return labelValue(labels, targetLabel) === value ? null : labels
    case 'replace':
      return replace(labels, rule, regex, value)
    case 'lowercase':
      return withLabel(labels, targetLabel, value.toLowerCase())
    case 'uppercase':
      return withLabel(labels, targetLabel, value.toUpperCase())
    case 'hashmod':
      return withLabel(labels, targetLabel, hashMod(value, rule.modulus))
    case 'labelmap':
      return labelMap(labels, rule, regex)
    case 'labeldrop':
      return keepWhere(labels, (name) => !regex.testExact(name))
    case 'labelkeep':
      return keepWhere(labels, (name) => regex.testExact(name))
  }
}

function replace(labels: Labels, rule: RelabelRule, regex: RE2JS, value: string): Labels {
  const name = expandMatch(regex, value, rule.targetLabel)
  if (name === null || !isClassicLabelName(name)) return labels
  return withLabel(labels, name, expandMatch(regex, value, rule.replacement) ?? '')
}

function labelMap(labels: Labels, rule: RelabelRule, regex: RE2JS): Labels {
  const pairs = [...labelPairs(labels)]
  const mapped = pairs.flatMap(([name, value]): [string, string][] => {
    const to = expandMatch(regex, name, rule.replacement)
    return to === null || to === '' ? [] : [[to, value]]
  })
  return mapped.length === 0 ? labels : labelsFrom([...pairs, ...mapped])
}

/** The last eight bytes of the MD5, as Prometheus takes them: replicas that share targets must agree. */
function hashMod(value: string, modulus: number): string {
  const hash = createHash('md5').update(value).digest().readBigUInt64BE(8)
  return String(hash % BigInt(modulus))
}

function keepWhere(labels: Labels, isWanted: (name: string) => boolean): Labels {
  return keepLabels(labels, new Set([...labelPairs(labels)].map(([name]) => name).filter(isWanted)))
}
