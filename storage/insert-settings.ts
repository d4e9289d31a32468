/** ClickHouse settings of every insert of telemetry, the deduplication token excepted. */
export const INSERT_SETTINGS = {
  deduplicate_blocks_in_dependent_materialized_views: 1,
  // One block per partition however many blocks the loader sends: few large parts.
  min_insert_block_size_rows: '4000000',
  min_insert_block_size_bytes: '1073741824',
  max_insert_threads: '1',
  max_threads: 1,
  // The receivers bound how far back a time may lie, so a block of many days is late data and no mistake.
  max_partitions_per_insert_block: '1000',
} as const
