/**
 * The environment variable of a key: `MESHWATCH_`, levels joined by `__`, camelCase as `_`, upper case:
 * `['alerting', 'groupWait']` → `MESHWATCH_ALERTING__GROUP_WAIT`.
 */
export function environmentName(path: readonly string[]): string {
  const levels = path.map((key) => key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase())
  return `MESHWATCH_${levels.join('__')}`
}

/**
 * Whether a variable is one of those that Kubernetes sets in every pod for a Service called `meshwatch` or `meshwatch-…`
 * (`MESHWATCH_SERVICE_HOST`, `MESHWATCH_PORT=tcp://…`): they look like ours and are not.
 */
export function isServiceLink(name: string, value: string): boolean {
  if (name.includes('__')) return false
  if (/^MESHWATCH_(?:[A-Z0-9_]*_)?SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)$/.test(name)) return true
  if (/_PORT_\d+_(?:TCP|UDP|SCTP)_(?:PROTO|PORT|ADDR)$/.test(name)) return true
  return /_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/.test(name) && /^(?:tcp|udp|sctp):\/\//.test(value)
}
