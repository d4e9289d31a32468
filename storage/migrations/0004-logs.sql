-- Log records: applications' and the mesh's events (event_name: mesh.outlier.ejected, …).
-- ts: the record's time, or its observed time where it has none. body_kind: the letter of the body's type (s i d b y a m e).
-- shard: cityHash64(trace_id)
CREATE TABLE logs (
  tenant LowCardinality(String),
  ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  time_unix_nano UInt64 CODEC(Delta, ZSTD(1)),
  observed_time_unix_nano UInt64 CODEC(Delta, ZSTD(1)),
  trace_id FixedString(16) CODEC(ZSTD(1)),
  span_id FixedString(8) CODEC(ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  severity_number UInt8,
  severity_text LowCardinality(String),
  origin LowCardinality(FixedString(16)),
  service LowCardinality(String),
  event_name LowCardinality(String),
  body String CODEC(ZSTD(1)),
  body_kind LowCardinality(String),
  attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  attr_kinds String CODEC(ZSTD(1)),
  dropped_attributes UInt32 CODEC(ZSTD(1)),
  INDEX i_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX i_attr mapValues(attrs) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX i_severity severity_number TYPE set(24) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (tenant, toStartOfFiveMinutes(ts), service, ts)
TTL toDate(ts) + INTERVAL 7 DAY
SETTINGS index_granularity = 2048, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;
