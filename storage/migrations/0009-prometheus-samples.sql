-- Float samples in Prometheus' form and the marks of where series end, instead of metric_samples: hour by hour, so that a rule that asks for some
-- minutes of a whole metric does not read its day. start: when the counter behind a sample began to count; the epoch: not known.
-- shard: cityHash64(series)
CREATE TABLE prom_samples (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  start DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  value Float64 CODEC(Gorilla, ZSTD(1)),
  is_stale Bool
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

INSERT INTO prom_samples (tenant, metric, series, ts, value, is_stale)
SELECT tenant, metric, series, ts, value, is_stale
FROM metric_samples
SETTINGS max_partitions_per_insert_block = 0;

-- Samples that are native histograms, in Prometheus' form, counts as floats; series, order and the marks of their ends as in prom_samples.
-- reset_hint: 0 unknown, 1 reset, 2 not reset, 3 gauge. Spans: offset and length side by side; counts are not differences.
-- schema -53: the bounds are custom_values.
-- shard: cityHash64(series)
CREATE TABLE prom_histograms (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  start DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  reset_hint UInt8,
  schema Int8,
  zero_threshold Float64 CODEC(ZSTD(1)),
  zero_count Float64 CODEC(ZSTD(1)),
  count Float64 CODEC(ZSTD(1)),
  sum Float64 CODEC(ZSTD(1)),
  positive_offsets Array(Int32) CODEC(ZSTD(1)),
  positive_lengths Array(UInt32) CODEC(ZSTD(1)),
  positive_counts Array(Float64) CODEC(ZSTD(1)),
  negative_offsets Array(Int32) CODEC(ZSTD(1)),
  negative_lengths Array(UInt32) CODEC(ZSTD(1)),
  negative_counts Array(Float64) CODEC(ZSTD(1)),
  custom_values Array(Float64) CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

-- What senders of Prometheus samples say about a metric, one row per metric and day; the row written last counts (readers use FINAL).
-- type: counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown.
-- shard: cityHash64(name)
CREATE TABLE prom_metadata (
  tenant LowCardinality(String),
  name LowCardinality(String),
  day Date,
  type LowCardinality(String),
  unit LowCardinality(String),
  help String CODEC(ZSTD(1)),
  version UInt64
) ENGINE = ReplacingMergeTree(version)
PARTITION BY day
ORDER BY (tenant, name)
TTL day + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;
