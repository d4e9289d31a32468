/**
 * The engine's configuration file. Caches are sized for a process that also decodes and serves: the defaults (5 GiB each)
 * assume a machine of their own.
 */
export function engineConfig(options: {
  readonly temporaryDir: string
  readonly maxMemoryBytes: number
}): string {
  const entries: Readonly<Record<string, string | number>> = {
    mark_cache_size: 64 * MIB,
    index_mark_cache_size: 16 * MIB,
    primary_index_cache_size: 64 * MIB,
    uncompressed_cache_size: 0,
    query_condition_cache_size: 16 * MIB,
    compiled_expression_cache_size: 32 * MIB,
    mmap_cache_size: 256,
    // One query at its limit beside inserts and merges.
    max_server_memory_usage: options.maxMemoryBytes + 1024 * MIB,
    timezone: 'UTC',
  }
  const lines = Object.entries(entries).map(([name, value]) => `  <${name}>${value}</${name}>`)
  return [
    '<clickhouse>',
    ...lines,
    '  <logger><level>none</level><console>false</console></logger>',
    '</clickhouse>',
    '',
  ].join('\n')
}

const MIB = 2 ** 20
