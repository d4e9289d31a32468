import type { AlertmanagerConfig } from './configuration/alertmanager-config.ts'
import { parseAlertmanagerConfig } from './configuration/parse-alertmanager-config.ts'

/** What holds without a configuration file: alerts are grouped and can be silenced, and nobody is told. */
export const NOBODY_CONFIG: AlertmanagerConfig = parseBuiltIn(`route:
  receiver: nobody
  group_by: [alertname]
receivers:
  - name: nobody
`)

function parseBuiltIn(text: string): AlertmanagerConfig {
  const { config, problems } = parseAlertmanagerConfig(text, { folder: '.', readTemplates: () => [] })
  if (config === null) throw new Error(`The built-in configuration is bad: ${JSON.stringify(problems)}`)
  return config
}
