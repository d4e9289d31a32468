-- Every message that ended: delivered or given up; the newest version of a row wins (readers use FINAL). payload: what /api/notifications
-- answers about it, JSON. fingerprints: of its alerts. version: when it was written, epoch milliseconds.
-- shard: cityHash64(id)
CREATE TABLE notifications (
  tenant LowCardinality(String),
  created DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  id String,
  receiver LowCardinality(String),
  integration LowCardinality(String),
  state LowCardinality(String),
  fingerprints Array(String),
  payload String CODEC(ZSTD(3)),
  version UInt64
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toStartOfMonth(created)
ORDER BY (tenant, created, id)
TTL toDate(created) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;
