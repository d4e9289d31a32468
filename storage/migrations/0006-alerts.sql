-- The state of every alert of every rule, newest row wins (readers use FINAL), so that a restart changes nothing.
-- rule_group, rule, alert: what identifies the group, the rule in it and the alert's labels. state 'none': the rule has forgotten it.
-- Times in epoch milliseconds, -1: never. at: the evaluation that the row is about.
-- shard: cityHash64(rule_group)
CREATE TABLE alert_states (
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
) ENGINE = ReplacingMergeTree(at)
ORDER BY (tenant, rule_group, rule, alert)
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 1000;

-- What happened to alerts: one row per change of state.
-- shard: cityHash64(rule_group)
CREATE TABLE alert_transitions (
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
) ENGINE = MergeTree
PARTITION BY toStartOfMonth(at)
ORDER BY (tenant, alert_name, at)
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, non_replicated_deduplication_window = 1000;
