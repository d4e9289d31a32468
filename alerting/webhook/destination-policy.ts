import ipaddr from 'ipaddr.js'

/** Which addresses notifications may be sent to. */
export interface DestinationPolicy {
  /** Loopback and private networks: receivers inside the cluster or on this machine. */
  readonly isPrivateAllowed: boolean
  /** Networks (CIDR) that are allowed whatever else is said. */
  readonly allow: readonly string[]
  /** Networks (CIDR) that are refused, unless allowed by name above. */
  readonly deny: readonly string[]
}

/**
 * Where clouds serve credentials to whoever asks from inside: never a receiver of alerts, even where private addresses are allowed.
 * (169.254.0.0/16 and fe80::/10 are refused as link-local.)
 */
const METADATA = ['100.100.100.200/32', '192.0.0.192/32', 'fd00:ec2::254/128', 'fd20:ce::254/128']

const PRIVATE_RANGES: ReadonlySet<string> = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat'])

/**
 * Why an address is refused; null when it is allowed. `address` is an IP literal; an IPv4-mapped IPv6 address is judged as
 * the IPv4 address it stands for. What is no address is refused.
 */
export function refusalOf(address: string, policy: DestinationPolicy): string | null {
  if (!ipaddr.isValid(address)) return `${address} is not an address`
  const parsed = ipaddr.process(address)
  if (isInAny(parsed, policy.allow)) return null
  if (isInAny(parsed, policy.deny)) return `${address} is in a network that is denied`
  if (isInAny(parsed, METADATA)) return `${address} is a metadata service`
  const range = parsed.range()
  if (range === 'unicast') return null
  if (PRIVATE_RANGES.has(range)) return policy.isPrivateAllowed ? null : `${address} is a private address`
  return `${address} is a ${range} address`
}

/** Whether a text is a network in CIDR form. */
export function isNetwork(text: string): boolean {
  return ipaddr.isValidCIDR(text)
}

function isInAny(address: ipaddr.IPv4 | ipaddr.IPv6, networks: readonly string[]): boolean {
  return networks.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network)
    return base.kind() === address.kind() && address.match([base, bits])
  })
}
