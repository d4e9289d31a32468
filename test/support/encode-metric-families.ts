import protobuf from 'protobufjs'

/** The messages of Prometheus' protobuf format. As version 2 of the language has it, lists of numbers are not packed, and zeros are sent. */
const SCHEMA = `
syntax = "proto2";
message LabelPair { optional string name = 1; optional string value = 2; }
enum MetricType { COUNTER = 0; GAUGE = 1; SUMMARY = 2; UNTYPED = 3; HISTOGRAM = 4; GAUGE_HISTOGRAM = 5; }
message Timestamp { optional int64 seconds = 1; optional int32 nanos = 2; }
message Gauge { optional double value = 1; }
message Counter { optional double value = 1; optional Exemplar exemplar = 2; optional Timestamp created_timestamp = 3; }
message Quantile { optional double quantile = 1; optional double value = 2; }
message Summary {
  optional uint64 sample_count = 1; optional double sample_sum = 2; repeated Quantile quantile = 3;
  optional Timestamp created_timestamp = 4;
}
message Untyped { optional double value = 1; }
message Histogram {
  optional uint64 sample_count = 1; optional double sample_count_float = 4; optional double sample_sum = 2;
  repeated Bucket bucket = 3; optional Timestamp created_timestamp = 15;
  optional sint32 schema = 5; optional double zero_threshold = 6;
  optional uint64 zero_count = 7; optional double zero_count_float = 8;
  repeated BucketSpan negative_span = 9; repeated sint64 negative_delta = 10; repeated double negative_count = 11;
  repeated BucketSpan positive_span = 12; repeated sint64 positive_delta = 13; repeated double positive_count = 14;
  repeated Exemplar exemplars = 16;
}
message Bucket {
  optional uint64 cumulative_count = 1; optional double cumulative_count_float = 4; optional double upper_bound = 2;
  optional Exemplar exemplar = 3;
}
message BucketSpan { optional sint32 offset = 1; optional uint32 length = 2; }
message Exemplar { repeated LabelPair label = 1; optional double value = 2; optional Timestamp timestamp = 3; }
message Metric {
  repeated LabelPair label = 1; optional Gauge gauge = 2; optional Counter counter = 3; optional Summary summary = 4;
  optional Untyped untyped = 5; optional Histogram histogram = 7; optional int64 timestamp_ms = 6;
}
message MetricFamily {
  optional string name = 1; optional string help = 2; optional MetricType type = 3; repeated Metric metric = 4;
  optional string unit = 5;
}
`

/** The `Content-Type` of such pages. */
export const METRIC_FAMILIES_TYPE =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'

const plain = protobuf.parse(SCHEMA).root.lookupType('MetricFamily')
const packed = protobuf
  .parse(SCHEMA.replace(/(repeated (?:sint64|double) \w+ = \d+);/g, '$1 [packed = true];'))
  .root.lookupType('MetricFamily')

/** A family in the format's JSON form, names in camelCase (`{ name, type: 'COUNTER', metric: [{ counter: { value } }] }`). */
export type MetricFamily = { readonly [name: string]: unknown }

/** The page of these families, each after its length. `isPacked`: lists of numbers as version 3 of the language sends them. */
export function encodeMetricFamilies(families: readonly MetricFamily[], isPacked = false): Buffer {
  const type = isPacked ? packed : plain
  return Buffer.concat(families.map((family) => type.encodeDelimited(type.fromObject(family)).finish()))
}

/** Labels as the format has them. */
export function labelPairsOf(labels: Readonly<Record<string, string>>): readonly object[] {
  return Object.entries(labels).map(([name, value]) => ({ name, value }))
}
