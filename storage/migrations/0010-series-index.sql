-- The series of prom_series as questions look for them: one row per series and week instead of one per day, in small granules, with an index
-- of the labels' values. Partitions are named by the week's last day. day: the last one on which the series was told of. first_seen: the
-- first time in the week. job: the label, by which most questions choose.
-- shard: cityHash64(id)
CREATE TABLE prom_index (
  tenant LowCardinality(String),
  name LowCardinality(String),
  job LowCardinality(String),
  id FixedString(16) CODEC(ZSTD(1)),
  day SimpleAggregateFunction(max, Date),
  first_seen SimpleAggregateFunction(min, DateTime('UTC')),
  kind SimpleAggregateFunction(anyLast, Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5, 'sample' = 6)),
  temporality SimpleAggregateFunction(anyLast, Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2)),
  is_monotonic SimpleAggregateFunction(anyLast, Bool),
  metric SimpleAggregateFunction(anyLast, LowCardinality(String)),
  labels SimpleAggregateFunction(anyLast, Map(String, String)) CODEC(ZSTD(1)),
  INDEX label_values mapValues(labels) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = AggregatingMergeTree
PARTITION BY toLastDayOfWeek(day)
ORDER BY (tenant, name, job, id)
TTL toLastDayOfWeek(day) + INTERVAL 31 DAY
SETTINGS index_granularity = 256, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW prom_index_mv TO prom_index AS
SELECT
  tenant, name, labels['job'] AS job, id, day, now('UTC') AS first_seen, kind, temporality, is_monotonic, metric,
  CAST(labels, 'Map(String, String)') AS labels
FROM prom_series;

INSERT INTO prom_index (tenant, name, job, id, day, first_seen, kind, temporality, is_monotonic, metric, labels)
SELECT
  tenant, name, labels['job'] AS job, id, day, toDateTime(day, 'UTC') AS first_seen, kind, temporality, is_monotonic, metric,
  CAST(labels, 'Map(String, String)') AS labels
FROM prom_series;

-- Which values each label has. Partitions and day as in prom_index.
-- shard: cityHash64(value)
CREATE TABLE prom_label_values (
  tenant LowCardinality(String),
  label LowCardinality(String),
  value String CODEC(ZSTD(1)),
  day SimpleAggregateFunction(max, Date)
) ENGINE = AggregatingMergeTree
PARTITION BY toLastDayOfWeek(day)
ORDER BY (tenant, label, value)
TTL toLastDayOfWeek(day) + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW prom_label_values_mv TO prom_label_values AS
SELECT tenant, label, value, max(day) AS day
FROM prom_series
ARRAY JOIN mapKeys(labels) AS label, mapValues(labels) AS value
GROUP BY tenant, label, value;

INSERT INTO prom_label_values (tenant, label, value, day)
SELECT tenant, label, value, max(day) AS day
FROM prom_series
ARRAY JOIN mapKeys(labels) AS label, mapValues(labels) AS value
GROUP BY tenant, label, value;
