/** ClickHouse settings that every session has, so that both connections give the same rows. */
export const OUTPUT_SETTINGS = {
  output_format_json_quote_64bit_integers: 1,
  // NaN and infinities as the strings 'nan', 'inf', '-inf'; without it they would all be null.
  output_format_json_quote_denormals: 1,
  session_timezone: 'UTC',
} as const
