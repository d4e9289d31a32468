-- The points of OTLP as before, but hour by hour (see prom_samples), instead of metric_points, metric_histograms,
-- metric_exponential_histograms and metric_summaries.

-- Gauges and sums. value_kind: 'i' int_value is exact and value its nearest double, 'd' double, 'e' neither was sent.
-- shard: cityHash64(series)
CREATE TABLE otlp_points (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  value_kind LowCardinality(String),
  value Float64 CODEC(Gorilla, ZSTD(1)),
  int_value Int64 CODEC(Delta, ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

INSERT INTO otlp_points (tenant, metric, series, ts, start, flags, value_kind, value, int_value)
SELECT tenant, metric, series, ts, start, flags, value_kind, value, int_value
FROM metric_points
SETTINGS max_partitions_per_insert_block = 0;

-- present: bit 0 sum, bit 1 min, bit 2 max were sent.
-- shard: cityHash64(series)
CREATE TABLE otlp_histograms (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
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
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

INSERT INTO otlp_histograms (tenant, metric, series, ts, start, flags, present, count, sum, min, max, bounds, counts)
SELECT tenant, metric, series, ts, start, flags, present, count, sum, min, max, bounds, counts
FROM metric_histograms
SETTINGS max_partitions_per_insert_block = 0;

-- shard: cityHash64(series)
CREATE TABLE otlp_exponential_histograms (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
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
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

INSERT INTO otlp_exponential_histograms (tenant, metric, series, ts, start, flags, present, count, sum, min, max, scale, zero_count, zero_threshold, positive_offset, positive_counts, negative_offset, negative_counts)
SELECT tenant, metric, series, ts, start, flags, present, count, sum, min, max, scale, zero_count, zero_threshold, positive_offset, positive_counts, negative_offset, negative_counts
FROM metric_exponential_histograms
SETTINGS max_partitions_per_insert_block = 0;

-- shard: cityHash64(series)
CREATE TABLE otlp_summaries (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  count UInt64 CODEC(Delta, ZSTD(1)),
  sum Float64 CODEC(ZSTD(1)),
  quantiles Array(Float64) CODEC(ZSTD(1)),
  quantile_values Array(Float64) CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

INSERT INTO otlp_summaries (tenant, metric, series, ts, start, flags, count, sum, quantiles, quantile_values)
SELECT tenant, metric, series, ts, start, flags, count, sum, quantiles, quantile_values
FROM metric_summaries
SETTINGS max_partitions_per_insert_block = 0;

-- Their rows are there twice now.
ALTER TABLE metric_points MODIFY TTL toDate(ts) + INTERVAL 1 DAY;
ALTER TABLE metric_histograms MODIFY TTL toDate(ts) + INTERVAL 1 DAY;
ALTER TABLE metric_exponential_histograms MODIFY TTL toDate(ts) + INTERVAL 1 DAY;
ALTER TABLE metric_summaries MODIFY TTL toDate(ts) + INTERVAL 1 DAY;
ALTER TABLE metric_samples MODIFY TTL toDate(ts) + INTERVAL 1 DAY;
