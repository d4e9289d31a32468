-- One row per series and day. id: first 16 bytes of the SHA-256 over name, type, temporality, monotonicity, unit, origin and sorted attributes.
-- shard: cityHash64(id)
CREATE TABLE metric_series (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  id FixedString(16) CODEC(ZSTD(1)),
  day Date,
  type Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5),
  temporality Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2),
  is_monotonic Bool,
  unit LowCardinality(String),
  description String CODEC(ZSTD(1)),
  metadata Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  metadata_kinds String,
  origin LowCardinality(FixedString(16)),
  service LowCardinality(String),
  attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  attr_kinds String
) ENGINE = ReplacingMergeTree
PARTITION BY day
ORDER BY (tenant, metric, id)
TTL day + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

-- Gauges and sums. value_kind: 'i' int_value is exact and value its nearest double, 'd' double, 'e' neither was sent.
-- shard: cityHash64(series)
CREATE TABLE metric_points (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  value_kind LowCardinality(String),
  value Float64 CODEC(ZSTD(1)),
  int_value Int64 CODEC(Delta, ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

-- present: bit 0 sum, bit 1 min, bit 2 max were sent.
-- shard: cityHash64(series)
CREATE TABLE metric_histograms (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  present UInt8,
  count UInt64 CODEC(Delta, ZSTD(1)),
  sum Float64 CODEC(ZSTD(1)),
  min Float64 CODEC(ZSTD(1)),
  max Float64 CODEC(ZSTD(1)),
  bounds Array(Float64) CODEC(ZSTD(1)),
  counts Array(UInt64) CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

-- shard: cityHash64(series)
CREATE TABLE metric_exponential_histograms (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  present UInt8,
  count UInt64 CODEC(Delta, ZSTD(1)),
  sum Float64 CODEC(ZSTD(1)),
  min Float64 CODEC(ZSTD(1)),
  max Float64 CODEC(ZSTD(1)),
  scale Int32,
  zero_count UInt64 CODEC(ZSTD(1)),
  zero_threshold Float64 CODEC(ZSTD(1)),
  positive_offset Int32 CODEC(ZSTD(1)),
  positive_counts Array(UInt64) CODEC(ZSTD(1)),
  negative_offset Int32 CODEC(ZSTD(1)),
  negative_counts Array(UInt64) CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

-- shard: cityHash64(series)
CREATE TABLE metric_summaries (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  count UInt64 CODEC(Delta, ZSTD(1)),
  sum Float64 CODEC(ZSTD(1)),
  quantiles Array(Float64) CODEC(ZSTD(1)),
  quantile_values Array(Float64) CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

-- Exemplars of all kinds of points. point_ts: the time of the point they came with.
-- shard: cityHash64(series)
CREATE TABLE metric_exemplars (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  point_ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  value_kind LowCardinality(String),
  value Float64 CODEC(ZSTD(1)),
  int_value Int64 CODEC(ZSTD(1)),
  trace_id FixedString(16) CODEC(ZSTD(1)),
  span_id FixedString(8) CODEC(ZSTD(1)),
  attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  attr_kinds String
) ENGINE = MergeTree
PARTITION BY toDate(point_ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(point_ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;
