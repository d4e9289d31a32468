import type { ProxyFiles } from '../load-proxy-files.ts'

/** The configuration in force as `/config` shows it: who the proxy is, the policy with its defaults, and what was found in the files. */
export function describePolicy({ config, policy, findings }: ProxyFiles): unknown {
  const names = Object.keys(config.otlp.headers)
  return {
    proxy: {
      ...config,
      // Tokens travel there.
      otlp: { ...config.otlp, headers: Object.fromEntries(names.map((name) => [name, '<secret>'])) },
    },
    policy: plain({
      hosts: [...new Set([...policy.exactHosts.values(), ...policy.suffixHosts.map(({ host }) => host)])],
      anyHost: policy.anyHost,
      clusters: [...policy.clusters.values()],
    }),
    findings,
  }
}

/** Sets become lists, maps become objects, functions go. */
function plain(value: unknown): unknown {
  if (value instanceof Set) return [...value].map(plain)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => typeof item !== 'function')
      .map(([key, item]) => [key, plain(item)]),
  )
}
