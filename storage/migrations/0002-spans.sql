-- One row per span. Time comes before service in the key: "every 503 of the mesh in these five minutes" is the common
-- question, and the roll-ups answer the long ranges of one service.
-- attrs keeps every attribute as text in the order received; attr_kinds has one letter per attribute (empty: all strings).
-- events and links are JSON arrays in OTLP's JSON form, empty when there are none.
-- Parts follow each other in time and reads skip those of other times, so that many of them cost little: with a larger
-- merge_selector_base each row is written again a third less often.
-- shard: cityHash64(trace_id)
CREATE TABLE spans (
  tenant LowCardinality(String),
  ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  trace_id FixedString(16) CODEC(ZSTD(1)),
  span_id FixedString(8) CODEC(ZSTD(1)),
  parent_span_id FixedString(8) CODEC(ZSTD(1)),
  trace_state String CODEC(ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  origin LowCardinality(FixedString(16)),
  service LowCardinality(String),
  name LowCardinality(String),
  kind Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
  duration_ns Int64 CODEC(T64, ZSTD(1)),
  status_code Enum8('unset' = 0, 'ok' = 1, 'error' = 2),
  status_message String CODEC(ZSTD(1)),
  is_error Bool,
  http_status UInt16,
  http_method LowCardinality(String),
  grpc_status Int16,
  response_flags LowCardinality(String),
  retry_attempt UInt16,
  upstream LowCardinality(String),
  upstream_cluster LowCardinality(String),
  upstream_endpoint LowCardinality(String),
  attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  attr_kinds String CODEC(ZSTD(1)),
  events String CODEC(ZSTD(1)),
  links String CODEC(ZSTD(1)),
  dropped_attributes UInt32 CODEC(ZSTD(1)),
  dropped_events UInt32 CODEC(ZSTD(1)),
  dropped_links UInt32 CODEC(ZSTD(1)),
  INDEX i_attr mapValues(attrs) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX i_duration duration_ns TYPE minmax GRANULARITY 1,
  INDEX i_error is_error TYPE set(2) GRANULARITY 1,
  INDEX i_http_status http_status TYPE set(16) GRANULARITY 1,
  PROJECTION p_trace (SELECT _part_offset ORDER BY trace_id)
) ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (tenant, toStartOfFiveMinutes(ts), service, name, ts)
TTL toDate(ts) + INTERVAL 7 DAY
SETTINGS index_granularity = 2048, merge_selector_base = 10, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

-- One row per trace and day (several until parts merge: aggregate on read). Gives the time bounds of a trace id, so
-- that reading it touches no other day, and what a search result shows.
-- shard: cityHash64(trace_id)
CREATE TABLE traces (
  tenant LowCardinality(String),
  trace_id FixedString(16) CODEC(ZSTD(1)),
  day Date,
  start SimpleAggregateFunction(min, DateTime64(9, 'UTC')) CODEC(Delta, ZSTD(1)),
  end SimpleAggregateFunction(max, DateTime64(9, 'UTC')) CODEC(Delta, ZSTD(1)),
  spans SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  errors SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  root_service SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
  root_name SimpleAggregateFunction(max, String) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (tenant, trace_id)
TTL day + INTERVAL 7 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW traces_mv TO traces AS
SELECT
  tenant,
  trace_id,
  toDate(ts) AS day,
  min(ts) AS start,
  max(addNanoseconds(ts, greatest(duration_ns, 0))) AS end,
  count() AS spans,
  countIf(is_error) AS errors,
  maxIf(toString(service), parent_span_id = toFixedString('', 8)) AS root_service,
  maxIf(toString(name), parent_span_id = toFixedString('', 8)) AS root_name
FROM spans
GROUP BY tenant, trace_id, day;
