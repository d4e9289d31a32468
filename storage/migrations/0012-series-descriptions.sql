-- What senders of OTLP say about a metric, one row per saying and week; partitions and day as in prom_index.
-- shard: cityHash64(name)
CREATE TABLE prom_descriptions (
  tenant LowCardinality(String),
  name LowCardinality(String),
  metric LowCardinality(String),
  kind Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5, 'sample' = 6),
  is_monotonic Bool,
  unit LowCardinality(String),
  description String CODEC(ZSTD(1)),
  day SimpleAggregateFunction(max, Date)
) ENGINE = AggregatingMergeTree
PARTITION BY toLastDayOfWeek(day)
ORDER BY (tenant, name, metric, kind, is_monotonic, unit, description)
TTL toLastDayOfWeek(day) + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW prom_descriptions_mv TO prom_descriptions AS
SELECT tenant, name, metric, kind, is_monotonic, unit, description, max(day) AS day
FROM prom_series
WHERE kind != 'sample'
GROUP BY tenant, name, metric, kind, is_monotonic, unit, description;

INSERT INTO prom_descriptions (tenant, name, metric, kind, is_monotonic, unit, description, day)
SELECT tenant, name, metric, kind, is_monotonic, unit, description, max(day) AS day
FROM prom_series
WHERE kind != 'sample'
GROUP BY tenant, name, metric, kind, is_monotonic, unit, description;
