CREATE TABLE IF NOT EXISTS meshwatch.origins_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/meshwatch/origins_local', '{replica}')
PARTITION BY day
ORDER BY (tenant, id)
TTL day + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.origins ON CLUSTER 'mesh' AS meshwatch.origins_local
ENGINE = Distributed('mesh', 'meshwatch', 'origins_local', cityHash64(id));

CREATE TABLE IF NOT EXISTS meshwatch.attribute_keys_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  day Date,
  level Enum8('span' = 1, 'resource' = 2, 'scope' = 3, 'log' = 4, 'metric' = 5),
  key String,
  kind LowCardinality(String)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/meshwatch/attribute_keys_local', '{replica}')
PARTITION BY day
ORDER BY (tenant, level, key, kind)
TTL day + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.attribute_keys ON CLUSTER 'mesh' AS meshwatch.attribute_keys_local
ENGINE = Distributed('mesh', 'meshwatch', 'attribute_keys_local', cityHash64(key));

CREATE TABLE IF NOT EXISTS meshwatch.spans_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/spans_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, toStartOfFiveMinutes(ts), service, name, ts)
TTL toDate(ts) + INTERVAL 7 DAY
SETTINGS index_granularity = 2048, merge_selector_base = 10, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.spans ON CLUSTER 'mesh' AS meshwatch.spans_local
ENGINE = Distributed('mesh', 'meshwatch', 'spans_local', cityHash64(trace_id));

CREATE TABLE IF NOT EXISTS meshwatch.traces_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  trace_id FixedString(16) CODEC(ZSTD(1)),
  day Date,
  start SimpleAggregateFunction(min, DateTime64(9, 'UTC')) CODEC(Delta, ZSTD(1)),
  end SimpleAggregateFunction(max, DateTime64(9, 'UTC')) CODEC(Delta, ZSTD(1)),
  spans SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  errors SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  root_service SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
  root_name SimpleAggregateFunction(max, String) CODEC(ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/meshwatch/traces_local', '{replica}')
PARTITION BY day
ORDER BY (tenant, trace_id)
TTL day + INTERVAL 7 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.traces ON CLUSTER 'mesh' AS meshwatch.traces_local
ENGINE = Distributed('mesh', 'meshwatch', 'traces_local', cityHash64(trace_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS meshwatch.traces_mv ON CLUSTER 'mesh' TO meshwatch.traces_local AS
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
FROM meshwatch.spans_local
GROUP BY tenant, trace_id, day;

CREATE TABLE IF NOT EXISTS meshwatch.red_10s_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  slot DateTime('UTC') CODEC(Delta, ZSTD(1)),
  service LowCardinality(String),
  name LowCardinality(String),
  kind Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
  status_code Enum8('unset' = 0, 'ok' = 1, 'error' = 2),
  is_error Bool,
  http_status UInt16,
  grpc_status Int16,
  response_flags LowCardinality(String),
  bucket Int16,
  calls UInt64 CODEC(T64, ZSTD(1)),
  duration_sum_ns UInt64 CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedSummingMergeTree('/clickhouse/tables/{shard}/meshwatch/red_10s_local', '{replica}', (calls, duration_sum_ns))
PARTITION BY toDate(slot)
ORDER BY (tenant, toStartOfHour(slot), service, slot, name, kind, status_code, is_error, http_status, grpc_status, response_flags, bucket)
TTL toDate(slot) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.red_10s ON CLUSTER 'mesh' AS meshwatch.red_10s_local
ENGINE = Distributed('mesh', 'meshwatch', 'red_10s_local', cityHash64(service));

CREATE MATERIALIZED VIEW IF NOT EXISTS meshwatch.red_10s_mv ON CLUSTER 'mesh' TO meshwatch.red_10s_local AS
SELECT
  tenant,
  toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL 10 SECOND) AS slot,
  service, name, kind, status_code, is_error, http_status, grpc_status, response_flags,
  toInt16(floor(4 * log2(greatest(duration_ns, 0) + 1))) AS bucket,
  count() AS calls,
  sum(toUInt64(greatest(duration_ns, 0))) AS duration_sum_ns
FROM meshwatch.spans_local
GROUP BY tenant, slot, service, name, kind, status_code, is_error, http_status, grpc_status, response_flags, bucket;

CREATE TABLE IF NOT EXISTS meshwatch.red_5m_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  slot DateTime('UTC') CODEC(Delta, ZSTD(1)),
  service LowCardinality(String),
  name LowCardinality(String),
  kind Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
  status_code Enum8('unset' = 0, 'ok' = 1, 'error' = 2),
  is_error Bool,
  http_status UInt16,
  grpc_status Int16,
  response_flags LowCardinality(String),
  bucket Int16,
  calls UInt64 CODEC(T64, ZSTD(1)),
  duration_sum_ns UInt64 CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedSummingMergeTree('/clickhouse/tables/{shard}/meshwatch/red_5m_local', '{replica}', (calls, duration_sum_ns))
PARTITION BY toDate(slot)
ORDER BY (tenant, service, slot, name, kind, status_code, is_error, http_status, grpc_status, response_flags, bucket)
TTL toDate(slot) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.red_5m ON CLUSTER 'mesh' AS meshwatch.red_5m_local
ENGINE = Distributed('mesh', 'meshwatch', 'red_5m_local', cityHash64(service));

CREATE MATERIALIZED VIEW IF NOT EXISTS meshwatch.red_5m_mv ON CLUSTER 'mesh' TO meshwatch.red_5m_local AS
SELECT
  tenant,
  toStartOfFiveMinutes(slot) AS slot,
  service, name, kind, status_code, is_error, http_status, grpc_status, response_flags, bucket,
  sum(calls) AS calls,
  sum(duration_sum_ns) AS duration_sum_ns
FROM meshwatch.red_10s_local
GROUP BY tenant, slot, service, name, kind, status_code, is_error, http_status, grpc_status, response_flags, bucket;

CREATE TABLE IF NOT EXISTS meshwatch.edges_10s_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  slot DateTime('UTC') CODEC(Delta, ZSTD(1)),
  service LowCardinality(String),
  upstream LowCardinality(String),
  upstream_cluster LowCardinality(String),
  upstream_endpoint LowCardinality(String),
  is_error Bool,
  http_status UInt16,
  grpc_status Int16,
  response_flags LowCardinality(String),
  retry_attempt UInt16,
  bucket Int16,
  calls UInt64 CODEC(T64, ZSTD(1)),
  duration_sum_ns UInt64 CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedSummingMergeTree('/clickhouse/tables/{shard}/meshwatch/edges_10s_local', '{replica}', (calls, duration_sum_ns))
PARTITION BY toDate(slot)
ORDER BY (tenant, toStartOfHour(slot), service, upstream, slot, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt, bucket)
TTL toDate(slot) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.edges_10s ON CLUSTER 'mesh' AS meshwatch.edges_10s_local
ENGINE = Distributed('mesh', 'meshwatch', 'edges_10s_local', cityHash64(service));

CREATE MATERIALIZED VIEW IF NOT EXISTS meshwatch.edges_10s_mv ON CLUSTER 'mesh' TO meshwatch.edges_10s_local AS
SELECT
  tenant,
  toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL 10 SECOND) AS slot,
  service, upstream, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt,
  toInt16(floor(4 * log2(greatest(duration_ns, 0) + 1))) AS bucket,
  count() AS calls,
  sum(toUInt64(greatest(duration_ns, 0))) AS duration_sum_ns
FROM meshwatch.spans_local
WHERE kind IN ('client', 'producer') AND upstream != ''
GROUP BY tenant, slot, service, upstream, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt, bucket;

CREATE TABLE IF NOT EXISTS meshwatch.edges_5m_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  slot DateTime('UTC') CODEC(Delta, ZSTD(1)),
  service LowCardinality(String),
  upstream LowCardinality(String),
  upstream_cluster LowCardinality(String),
  upstream_endpoint LowCardinality(String),
  is_error Bool,
  http_status UInt16,
  grpc_status Int16,
  response_flags LowCardinality(String),
  retry_attempt UInt16,
  bucket Int16,
  calls UInt64 CODEC(T64, ZSTD(1)),
  duration_sum_ns UInt64 CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedSummingMergeTree('/clickhouse/tables/{shard}/meshwatch/edges_5m_local', '{replica}', (calls, duration_sum_ns))
PARTITION BY toDate(slot)
ORDER BY (tenant, service, upstream, slot, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt, bucket)
TTL toDate(slot) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.edges_5m ON CLUSTER 'mesh' AS meshwatch.edges_5m_local
ENGINE = Distributed('mesh', 'meshwatch', 'edges_5m_local', cityHash64(service));

CREATE MATERIALIZED VIEW IF NOT EXISTS meshwatch.edges_5m_mv ON CLUSTER 'mesh' TO meshwatch.edges_5m_local AS
SELECT
  tenant,
  toStartOfFiveMinutes(slot) AS slot,
  service, upstream, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt, bucket,
  sum(calls) AS calls,
  sum(duration_sum_ns) AS duration_sum_ns
FROM meshwatch.edges_10s_local
GROUP BY tenant, slot, service, upstream, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt, bucket;

CREATE TABLE IF NOT EXISTS meshwatch.logs_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/logs_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, toStartOfFiveMinutes(ts), service, ts)
TTL toDate(ts) + INTERVAL 7 DAY
SETTINGS index_granularity = 2048, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.logs ON CLUSTER 'mesh' AS meshwatch.logs_local
ENGINE = Distributed('mesh', 'meshwatch', 'logs_local', cityHash64(trace_id));

CREATE TABLE IF NOT EXISTS meshwatch.metric_series_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/meshwatch/metric_series_local', '{replica}')
PARTITION BY day
ORDER BY (tenant, metric, id)
TTL day + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.metric_series ON CLUSTER 'mesh' AS meshwatch.metric_series_local
ENGINE = Distributed('mesh', 'meshwatch', 'metric_series_local', cityHash64(id));

CREATE TABLE IF NOT EXISTS meshwatch.metric_points_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  value_kind LowCardinality(String),
  value Float64 CODEC(ZSTD(1)),
  int_value Int64 CODEC(Delta, ZSTD(1))
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/metric_points_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.metric_points ON CLUSTER 'mesh' AS meshwatch.metric_points_local
ENGINE = Distributed('mesh', 'meshwatch', 'metric_points_local', cityHash64(series));

CREATE TABLE IF NOT EXISTS meshwatch.metric_histograms_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/metric_histograms_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.metric_histograms ON CLUSTER 'mesh' AS meshwatch.metric_histograms_local
ENGINE = Distributed('mesh', 'meshwatch', 'metric_histograms_local', cityHash64(series));

CREATE TABLE IF NOT EXISTS meshwatch.metric_exponential_histograms_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/metric_exponential_histograms_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.metric_exponential_histograms ON CLUSTER 'mesh' AS meshwatch.metric_exponential_histograms_local
ENGINE = Distributed('mesh', 'meshwatch', 'metric_exponential_histograms_local', cityHash64(series));

CREATE TABLE IF NOT EXISTS meshwatch.metric_summaries_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/metric_summaries_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.metric_summaries ON CLUSTER 'mesh' AS meshwatch.metric_summaries_local
ENGINE = Distributed('mesh', 'meshwatch', 'metric_summaries_local', cityHash64(series));

CREATE TABLE IF NOT EXISTS meshwatch.metric_exemplars_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/metric_exemplars_local', '{replica}')
PARTITION BY toDate(point_ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(point_ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.metric_exemplars ON CLUSTER 'mesh' AS meshwatch.metric_exemplars_local
ENGINE = Distributed('mesh', 'meshwatch', 'metric_exemplars_local', cityHash64(series));

CREATE TABLE IF NOT EXISTS meshwatch.alert_states_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  rule_group String,
  rule String,
  alert String,
  state Enum8('none' = 0, 'inactive' = 1, 'pending' = 2, 'firing' = 3),
  at DateTime64(3, 'UTC'),
  active_at_ms Int64,
  fired_at_ms Int64,
  resolved_at_ms Int64,
  keep_firing_since_ms Int64,
  last_sent_at_ms Int64,
  value Float64,
  labels Map(String, String),
  annotations Map(String, String)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/meshwatch/alert_states_local', '{replica}', at)
ORDER BY (tenant, rule_group, rule, alert)
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.alert_states ON CLUSTER 'mesh' AS meshwatch.alert_states_local
ENGINE = Distributed('mesh', 'meshwatch', 'alert_states_local', cityHash64(rule_group));

CREATE TABLE IF NOT EXISTS meshwatch.alert_transitions_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  rule_group LowCardinality(String),
  alert_name LowCardinality(String),
  from_state Enum8('none' = 0, 'inactive' = 1, 'pending' = 2, 'firing' = 3),
  to_state Enum8('none' = 0, 'inactive' = 1, 'pending' = 2, 'firing' = 3),
  active_at_ms Int64,
  fired_at_ms Int64,
  value Float64,
  labels Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  annotations Map(LowCardinality(String), String) CODEC(ZSTD(1))
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/alert_transitions_local', '{replica}')
PARTITION BY toStartOfMonth(at)
ORDER BY (tenant, alert_name, at)
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.alert_transitions ON CLUSTER 'mesh' AS meshwatch.alert_transitions_local
ENGINE = Distributed('mesh', 'meshwatch', 'alert_transitions_local', cityHash64(rule_group));

CREATE TABLE IF NOT EXISTS meshwatch.prom_series_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/meshwatch/prom_series_local', '{replica}')
PARTITION BY day
ORDER BY (tenant, name, id)
TTL day + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.prom_series ON CLUSTER 'mesh' AS meshwatch.prom_series_local
ENGINE = Distributed('mesh', 'meshwatch', 'prom_series_local', cityHash64(id));

CREATE TABLE IF NOT EXISTS meshwatch.metric_samples_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  value Float64 CODEC(ZSTD(1)),
  is_stale Bool
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/metric_samples_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.metric_samples ON CLUSTER 'mesh' AS meshwatch.metric_samples_local
ENGINE = Distributed('mesh', 'meshwatch', 'metric_samples_local', cityHash64(series));

CREATE TABLE IF NOT EXISTS meshwatch.notifications_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  created DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  id String,
  receiver LowCardinality(String),
  integration LowCardinality(String),
  state LowCardinality(String),
  fingerprints Array(String),
  payload String CODEC(ZSTD(3)),
  version UInt64
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/meshwatch/notifications_local', '{replica}', version)
PARTITION BY toStartOfMonth(created)
ORDER BY (tenant, created, id)
TTL toDate(created) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.notifications ON CLUSTER 'mesh' AS meshwatch.notifications_local
ENGINE = Distributed('mesh', 'meshwatch', 'notifications_local', cityHash64(id));

CREATE TABLE IF NOT EXISTS meshwatch.prom_samples_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  start DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  value Float64 CODEC(Gorilla, ZSTD(1)),
  is_stale Bool
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/prom_samples_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.prom_samples ON CLUSTER 'mesh' AS meshwatch.prom_samples_local
ENGINE = Distributed('mesh', 'meshwatch', 'prom_samples_local', cityHash64(series));

INSERT INTO meshwatch.prom_samples (tenant, metric, series, ts, value, is_stale)
SELECT tenant, metric, series, ts, value, is_stale
FROM meshwatch.metric_samples
SETTINGS max_partitions_per_insert_block = 0;

CREATE TABLE IF NOT EXISTS meshwatch.prom_histograms_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/prom_histograms_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.prom_histograms ON CLUSTER 'mesh' AS meshwatch.prom_histograms_local
ENGINE = Distributed('mesh', 'meshwatch', 'prom_histograms_local', cityHash64(series));

CREATE TABLE IF NOT EXISTS meshwatch.prom_metadata_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  name LowCardinality(String),
  day Date,
  type LowCardinality(String),
  unit LowCardinality(String),
  help String CODEC(ZSTD(1)),
  version UInt64
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/meshwatch/prom_metadata_local', '{replica}', version)
PARTITION BY day
ORDER BY (tenant, name)
TTL day + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.prom_metadata ON CLUSTER 'mesh' AS meshwatch.prom_metadata_local
ENGINE = Distributed('mesh', 'meshwatch', 'prom_metadata_local', cityHash64(name));

CREATE TABLE IF NOT EXISTS meshwatch.prom_index_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/meshwatch/prom_index_local', '{replica}')
PARTITION BY toLastDayOfWeek(day)
ORDER BY (tenant, name, job, id)
TTL toLastDayOfWeek(day) + INTERVAL 31 DAY
SETTINGS index_granularity = 256, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.prom_index ON CLUSTER 'mesh' AS meshwatch.prom_index_local
ENGINE = Distributed('mesh', 'meshwatch', 'prom_index_local', cityHash64(id));

CREATE MATERIALIZED VIEW IF NOT EXISTS meshwatch.prom_index_mv ON CLUSTER 'mesh' TO meshwatch.prom_index_local AS
SELECT
  tenant, name, labels['job'] AS job, id, day, now('UTC') AS first_seen, kind, temporality, is_monotonic, metric,
  CAST(labels, 'Map(String, String)') AS labels
FROM meshwatch.prom_series_local;

INSERT INTO meshwatch.prom_index (tenant, name, job, id, day, first_seen, kind, temporality, is_monotonic, metric, labels)
SELECT
  tenant, name, labels['job'] AS job, id, day, toDateTime(day, 'UTC') AS first_seen, kind, temporality, is_monotonic, metric,
  CAST(labels, 'Map(String, String)') AS labels
FROM meshwatch.prom_series;

CREATE TABLE IF NOT EXISTS meshwatch.prom_label_values_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  label LowCardinality(String),
  value String CODEC(ZSTD(1)),
  day SimpleAggregateFunction(max, Date)
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/meshwatch/prom_label_values_local', '{replica}')
PARTITION BY toLastDayOfWeek(day)
ORDER BY (tenant, label, value)
TTL toLastDayOfWeek(day) + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.prom_label_values ON CLUSTER 'mesh' AS meshwatch.prom_label_values_local
ENGINE = Distributed('mesh', 'meshwatch', 'prom_label_values_local', cityHash64(value));

CREATE MATERIALIZED VIEW IF NOT EXISTS meshwatch.prom_label_values_mv ON CLUSTER 'mesh' TO meshwatch.prom_label_values_local AS
SELECT tenant, label, value, max(day) AS day
FROM meshwatch.prom_series_local
ARRAY JOIN mapKeys(labels) AS label, mapValues(labels) AS value
GROUP BY tenant, label, value;

INSERT INTO meshwatch.prom_label_values (tenant, label, value, day)
SELECT tenant, label, value, max(day) AS day
FROM meshwatch.prom_series
ARRAY JOIN mapKeys(labels) AS label, mapValues(labels) AS value
GROUP BY tenant, label, value;

ALTER TABLE meshwatch.prom_series_local ON CLUSTER 'mesh' ADD COLUMN IF NOT EXISTS job String ALIAS labels['job'];

ALTER TABLE meshwatch.prom_series ON CLUSTER 'mesh' ADD COLUMN IF NOT EXISTS job String ALIAS labels['job'];

CREATE TABLE IF NOT EXISTS meshwatch.prom_descriptions_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  name LowCardinality(String),
  metric LowCardinality(String),
  kind Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5, 'sample' = 6),
  is_monotonic Bool,
  unit LowCardinality(String),
  description String CODEC(ZSTD(1)),
  day SimpleAggregateFunction(max, Date)
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/meshwatch/prom_descriptions_local', '{replica}')
PARTITION BY toLastDayOfWeek(day)
ORDER BY (tenant, name, metric, kind, is_monotonic, unit, description)
TTL toLastDayOfWeek(day) + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.prom_descriptions ON CLUSTER 'mesh' AS meshwatch.prom_descriptions_local
ENGINE = Distributed('mesh', 'meshwatch', 'prom_descriptions_local', cityHash64(name));

CREATE MATERIALIZED VIEW IF NOT EXISTS meshwatch.prom_descriptions_mv ON CLUSTER 'mesh' TO meshwatch.prom_descriptions_local AS
SELECT tenant, name, metric, kind, is_monotonic, unit, description, max(day) AS day
FROM meshwatch.prom_series_local
WHERE kind != 'sample'
GROUP BY tenant, name, metric, kind, is_monotonic, unit, description;

INSERT INTO meshwatch.prom_descriptions (tenant, name, metric, kind, is_monotonic, unit, description, day)
SELECT tenant, name, metric, kind, is_monotonic, unit, description, max(day) AS day
FROM meshwatch.prom_series
WHERE kind != 'sample'
GROUP BY tenant, name, metric, kind, is_monotonic, unit, description;

CREATE TABLE IF NOT EXISTS meshwatch.otlp_points_local ON CLUSTER 'mesh' (
  tenant LowCardinality(String),
  metric LowCardinality(String),
  series FixedString(16) CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  value_kind LowCardinality(String),
  value Float64 CODEC(Gorilla, ZSTD(1)),
  int_value Int64 CODEC(Delta, ZSTD(1))
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/otlp_points_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.otlp_points ON CLUSTER 'mesh' AS meshwatch.otlp_points_local
ENGINE = Distributed('mesh', 'meshwatch', 'otlp_points_local', cityHash64(series));

INSERT INTO meshwatch.otlp_points (tenant, metric, series, ts, start, flags, value_kind, value, int_value)
SELECT tenant, metric, series, ts, start, flags, value_kind, value, int_value
FROM meshwatch.metric_points
SETTINGS max_partitions_per_insert_block = 0;

CREATE TABLE IF NOT EXISTS meshwatch.otlp_histograms_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/otlp_histograms_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.otlp_histograms ON CLUSTER 'mesh' AS meshwatch.otlp_histograms_local
ENGINE = Distributed('mesh', 'meshwatch', 'otlp_histograms_local', cityHash64(series));

INSERT INTO meshwatch.otlp_histograms (tenant, metric, series, ts, start, flags, present, count, sum, min, max, bounds, counts)
SELECT tenant, metric, series, ts, start, flags, present, count, sum, min, max, bounds, counts
FROM meshwatch.metric_histograms
SETTINGS max_partitions_per_insert_block = 0;

CREATE TABLE IF NOT EXISTS meshwatch.otlp_exponential_histograms_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/otlp_exponential_histograms_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.otlp_exponential_histograms ON CLUSTER 'mesh' AS meshwatch.otlp_exponential_histograms_local
ENGINE = Distributed('mesh', 'meshwatch', 'otlp_exponential_histograms_local', cityHash64(series));

INSERT INTO meshwatch.otlp_exponential_histograms (tenant, metric, series, ts, start, flags, present, count, sum, min, max, scale, zero_count, zero_threshold, positive_offset, positive_counts, negative_offset, negative_counts)
SELECT tenant, metric, series, ts, start, flags, present, count, sum, min, max, scale, zero_count, zero_threshold, positive_offset, positive_counts, negative_offset, negative_counts
FROM meshwatch.metric_exponential_histograms
SETTINGS max_partitions_per_insert_block = 0;

CREATE TABLE IF NOT EXISTS meshwatch.otlp_summaries_local ON CLUSTER 'mesh' (
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
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meshwatch/otlp_summaries_local', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, metric, toStartOfHour(ts), series, ts)
TTL toDate(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS meshwatch.otlp_summaries ON CLUSTER 'mesh' AS meshwatch.otlp_summaries_local
ENGINE = Distributed('mesh', 'meshwatch', 'otlp_summaries_local', cityHash64(series));

INSERT INTO meshwatch.otlp_summaries (tenant, metric, series, ts, start, flags, count, sum, quantiles, quantile_values)
SELECT tenant, metric, series, ts, start, flags, count, sum, quantiles, quantile_values
FROM meshwatch.metric_summaries
SETTINGS max_partitions_per_insert_block = 0;

ALTER TABLE meshwatch.metric_points_local ON CLUSTER 'mesh' MODIFY TTL toDate(ts) + INTERVAL 1 DAY;

ALTER TABLE meshwatch.metric_histograms_local ON CLUSTER 'mesh' MODIFY TTL toDate(ts) + INTERVAL 1 DAY;

ALTER TABLE meshwatch.metric_exponential_histograms_local ON CLUSTER 'mesh' MODIFY TTL toDate(ts) + INTERVAL 1 DAY;

ALTER TABLE meshwatch.metric_summaries_local ON CLUSTER 'mesh' MODIFY TTL toDate(ts) + INTERVAL 1 DAY;

ALTER TABLE meshwatch.metric_samples_local ON CLUSTER 'mesh' MODIFY TTL toDate(ts) + INTERVAL 1 DAY;
