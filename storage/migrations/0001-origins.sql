-- Resource and scope of spans, log records and series, stored once per day and per pair instead of once per row.
-- id: first 16 bytes of the SHA-256 over the pair's stored form. day: the day of receipt, so that a row outlives
-- the telemetry that refers to it.
-- shard: cityHash64(id)
CREATE TABLE origins (
  tenant LowCardinality(String),
  id FixedString(16) CODEC(ZSTD(1)),
  day Date,
  service LowCardinality(String),
  resource_attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  resource_attr_kinds String,
  resource_dropped_attributes UInt32,
  resource_schema_url LowCardinality(String),
  scope_name LowCardinality(String),
  scope_version LowCardinality(String),
  scope_attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  scope_attr_kinds String,
  scope_dropped_attributes UInt32,
  scope_schema_url LowCardinality(String)
) ENGINE = ReplacingMergeTree
PARTITION BY day
ORDER BY (tenant, id)
TTL day + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

-- Which attribute keys occur, so that a search form can offer them without reading the attributes themselves.
-- level: where the attribute stands. kind: the letter of its type (s i d b y a m e).
-- shard: cityHash64(key)
CREATE TABLE attribute_keys (
  tenant LowCardinality(String),
  day Date,
  level Enum8('span' = 1, 'resource' = 2, 'scope' = 3, 'log' = 4, 'metric' = 5),
  key String,
  kind LowCardinality(String)
) ENGINE = ReplacingMergeTree
PARTITION BY day
ORDER BY (tenant, level, key, kind)
TTL day + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;
