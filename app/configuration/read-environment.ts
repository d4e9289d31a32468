import { parse } from 'yaml'
import { closestName } from './closest-name.ts'
import { environmentName, isServiceLink } from './environment-name.ts'
import type { ConfigProblem, RawValue } from './raw-config.ts'
import type { Setting } from './setting.ts'

/**
 * Reads the settings among environment variables. Empty variables count as not set. A variable that starts with `MESHWATCH_`
 * and names no key is a problem (Kubernetes' own excepted).
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  settings: readonly Setting[],
): { readonly values: readonly RawValue[]; readonly problems: readonly ConfigProblem[] } {
  const byName = new Map(settings.map((setting) => [environmentName(setting.path), setting]))
  const values: RawValue[] = []
  const problems: ConfigProblem[] = []
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('MESHWATCH_') || text === undefined) continue
    const setting = byName.get(name)
    if (setting !== undefined) {
      if (text === '') continue
      const value = typedValue(setting, text)
      values.push({ path: setting.path, value, kind: 'environment', source: name })
    } else if (!isServiceLink(name, text)) {
      const meant = closestName(name, [...byName.keys()])
      const hint = meant === null ? '' : `; did you mean ${meant}?`
      problems.push({ path: '', message: `unknown environment variable${hint}`, source: name })
    }
  }
  return { values, problems }
}

/** The text itself where the key takes text; else what YAML makes of it; for lists also `a,b`. */
function typedValue(setting: Setting, text: string): unknown {
  const accepts = (value: unknown) => setting.schema.safeParse(value).success
  if (accepts(text)) return text
  const candidates = [yamlValue(text), text.split(',').map((part) => part.trim())]
  return candidates.find(accepts) ?? text
}

function yamlValue(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return text
  }
}
