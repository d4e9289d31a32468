-- Requests, errors and durations of spans, in slots of ten seconds and, from those, of five minutes.
-- bucket: duration in quarter powers of two: floor(4 * log2(duration_ns + 1)); its upper bound is 2^((bucket + 1) / 4) - 1 ns.
-- shard: cityHash64(service)
CREATE TABLE red_10s (
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
) ENGINE = SummingMergeTree((calls, duration_sum_ns))
PARTITION BY toDate(slot)
ORDER BY (tenant, toStartOfHour(slot), service, slot, name, kind, status_code, is_error, http_status, grpc_status, response_flags, bucket)
TTL toDate(slot) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW red_10s_mv TO red_10s AS
SELECT
  tenant,
  toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL 10 SECOND) AS slot,
  service, name, kind, status_code, is_error, http_status, grpc_status, response_flags,
  toInt16(floor(4 * log2(greatest(duration_ns, 0) + 1))) AS bucket,
  count() AS calls,
  sum(toUInt64(greatest(duration_ns, 0))) AS duration_sum_ns
FROM spans
GROUP BY tenant, slot, service, name, kind, status_code, is_error, http_status, grpc_status, response_flags, bucket;

-- shard: cityHash64(service)
CREATE TABLE red_5m (
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
) ENGINE = SummingMergeTree((calls, duration_sum_ns))
PARTITION BY toDate(slot)
ORDER BY (tenant, service, slot, name, kind, status_code, is_error, http_status, grpc_status, response_flags, bucket)
TTL toDate(slot) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW red_5m_mv TO red_5m AS
SELECT
  tenant,
  toStartOfFiveMinutes(slot) AS slot,
  service, name, kind, status_code, is_error, http_status, grpc_status, response_flags, bucket,
  sum(calls) AS calls,
  sum(duration_sum_ns) AS duration_sum_ns
FROM red_10s
GROUP BY tenant, slot, service, name, kind, status_code, is_error, http_status, grpc_status, response_flags, bucket;

-- Edges, from the caller's client (or producer) span alone: whoever names an upstream draws the edge.
-- shard: cityHash64(service)
CREATE TABLE edges_10s (
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
) ENGINE = SummingMergeTree((calls, duration_sum_ns))
PARTITION BY toDate(slot)
ORDER BY (tenant, toStartOfHour(slot), service, upstream, slot, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt, bucket)
TTL toDate(slot) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW edges_10s_mv TO edges_10s AS
SELECT
  tenant,
  toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL 10 SECOND) AS slot,
  service, upstream, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt,
  toInt16(floor(4 * log2(greatest(duration_ns, 0) + 1))) AS bucket,
  count() AS calls,
  sum(toUInt64(greatest(duration_ns, 0))) AS duration_sum_ns
FROM spans
WHERE kind IN ('client', 'producer') AND upstream != ''
GROUP BY tenant, slot, service, upstream, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt, bucket;

-- shard: cityHash64(service)
CREATE TABLE edges_5m (
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
) ENGINE = SummingMergeTree((calls, duration_sum_ns))
PARTITION BY toDate(slot)
ORDER BY (tenant, service, upstream, slot, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt, bucket)
TTL toDate(slot) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW edges_5m_mv TO edges_5m AS
SELECT
  tenant,
  toStartOfFiveMinutes(slot) AS slot,
  service, upstream, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt, bucket,
  sum(calls) AS calls,
  sum(duration_sum_ns) AS duration_sum_ns
FROM edges_10s
GROUP BY tenant, slot, service, upstream, upstream_cluster, upstream_endpoint, is_error, http_status, grpc_status, response_flags, retry_attempt, bucket;
