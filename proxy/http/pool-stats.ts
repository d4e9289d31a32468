/** What a pool tells of its connections; the telemetry room turns it into Envoy's statistics. */
export interface PoolStats {
  connectionOpened(): void
  connected(tookMs: number): void
  connectFailed(reason: 'connect-failure' | 'connect-timeout'): void
  connectionClosed(isUnderRequest: boolean): void
  /** A request waits for a connection. */
  pended(): void
  /** A request waits although it would have liked a connection of its own: `max_connections` is reached. */
  connectionOverflowed(): void
}
