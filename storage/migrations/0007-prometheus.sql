-- Series as PromQL knows them, one row per series and day: its name and labels in Prometheus' form. Of histograms and summaries the
-- name is without _bucket, _sum, _count. kind 'sample': the samples stand in metric_samples. metric: the name in the tables of points.
-- id: the series in those tables; of samples the first 16 bytes of the SHA-256 over the labels.
-- shard: cityHash64(id)
CREATE TABLE prom_series (
  tenant LowCardinality(String),
  name LowCardinality(String),
  id FixedString(16) CODEC(ZSTD(1)),
  day Date,
  kind Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5, 'sample' = 6),
  temporality Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2),
  is_monotonic Bool,
  metric LowCardinality(String),
  unit LowCardinality(String),
  description String CODEC(ZSTD(1)),
  labels Map(LowCardinality(String), String) CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree
PARTITION BY day
ORDER BY (tenant, name, id)
TTL day + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

-- Samples that are Prometheus' own: recorded by rules. is_stale: the series has ended.
-- shard: cityHash64(series)
CREATE TABLE metric_samples (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  value Float64 CODEC(ZSTD(1)),
  is_stale Bool
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;
