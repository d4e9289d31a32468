import fc from 'fast-check'

/**
 * Random PromQL in odd spacing and notation, put together from pieces of the right types. Most are good; in some the operators bind so
 * that the types are wrong after all.
 */
export const arbitraryPromql: fc.Arbitrary<string> = fc.letrec<Record<string, string>>((tie) => {
  const name = fc.constantFrom(
    'up',
    'http_requests:rate5m',
    'sum',
    'offset',
    'fill',
    'by',
    'start',
    'NaN_total',
  )
  const label = fc.constantFrom('job', 'le', 'on', 'sum', '__meta', '"http.status"', "'ü'")
  const text = fc.constantFrom('"a"', "'it\\'s'", '`raw\\d`', '"\\u00e9\\n"', '""')
  const duration = fc.constantFrom(
    '5m',
    '1h30m',
    '90',
    '1.5',
    '0x10',
    '250ms',
    '(1m + step()) * 2',
    'range()',
  )
  const signedDuration = fc.constantFrom(
    '5m',
    '-1h',
    '0',
    '-1.5',
    '(5m - 1m)',
    'step()',
    '-max_of(step(), 1m)',
  )
  const number = fc.constantFrom(
    '1',
    '-1',
    '.5',
    '1e3',
    '0x1F',
    '1_000',
    '017',
    'Inf',
    '-inf',
    'nan',
    '5m',
    '1e-9',
  )
  const matcher = fc
    .tuple(label, fc.constantFrom('=', '!=', '=~', '!~'), text)
    .map(([left, op, right]) => `${left}${op}${right}`)
  const matchers = fc.array(matcher, { maxLength: 3 }).map((all) => all.join(' , '))
  const labels = fc.array(label, { maxLength: 3 }).map((all) => `(${all.join(',')})`)
  const shift = fc.constantFrom('', '@ 1600.5', '@ -3', '@ start()', '@end( )')
  const offset = fc.oneof(
    fc.constant(''),
    signedDuration.map((value) => ` offset ${value}`),
  )
  const bounds = fc.constantFrom('', '', ' anchored', ' smoothed')
  const selector = fc
    .tuple(fc.oneof(name, fc.constant('')), matchers)
    .map(([metric, inner]) => (metric === '' ? `{x="y",${inner}}` : `${metric} {${inner}}`))
  const modified = (core: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.tuple(core, bounds, shift, offset).map((parts) => parts.join(' '))
  const matching = fc.oneof(
    fc.constant(''),
    fc.tuple(fc.constantFrom('on', 'ignoring'), labels).map(([how, on]) => `${how} ${on}`),
    fc.constantFrom(
      'on(a) group_left(b)',
      'ignoring() group_right',
      'fill(0)',
      'on(a) fill_right(-1) fill_left(2)',
    ),
  )
  const modifier = fc.oneof(
    fc.constant(''),
    fc.tuple(fc.constantFrom('by', 'without'), labels).map((parts) => parts.join(' ')),
  )
  return {
    scalar: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      number,
      fc.constantFrom('time()', 'pi( )', 'end()'),
      fc
        .tuple(
          tie('scalar'),
          fc.constantFrom('+', '-', '*', '/', '%', '^', 'atan2', '== bool', '<bool'),
          tie('scalar'),
        )
        .map((parts) => parts.join(' ')),
      tie('scalar').map((inner) => `(${inner})`),
      tie('scalar').map((inner) => `-${inner}`),
      tie('vector').map((inner) => `scalar(${inner})`),
    ),
    vector: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      modified(selector),
      fc
        .tuple(
          tie('vector'),
          fc.constantFrom('+', '-', '*', '^', '>', '>= bool', '!=', '</'),
          matching,
          tie('vector'),
        )
        .map((parts) => parts.join(' ')),
      fc
        .tuple(
          tie('vector'),
          fc.constantFrom('and', 'OR', 'unless'),
          fc.constantFrom('', 'on(a)', 'ignoring(b)'),
          tie('vector'),
        )
        .map((parts) => parts.join(' ')),
      fc.tuple(tie('scalar'), fc.constantFrom('+', '>', '^'), tie('vector')).map((parts) => parts.join(' ')),
      fc
        .tuple(fc.constantFrom('sum', 'AVG', 'count', 'group'), modifier, tie('vector'))
        .map(([op, by, inner]) => `${op} ${by} (${inner})`),
      fc
        .tuple(fc.constantFrom('topk', 'quantile'), tie('scalar'), tie('vector'), modifier)
        .map(([op, param, inner, by]) => `${op}(${param}, ${inner}) ${by}`),
      tie('vector').map((inner) => `count_values("v", ${inner})`),
      fc
        .tuple(fc.constantFrom('rate', 'sum_over_time', 'absent_over_time'), tie('matrix'))
        .map(([call, inner]) => `${call}(${inner})`),
      fc.tuple(tie('scalar'), tie('vector')).map(([phi, inner]) => `histogram_quantile(${phi}, ${inner})`),
      tie('vector').map((inner) => `label_replace(${inner}, "a", "$1", 'b', ".*")`),
      tie('vector').map((inner) => `( ${inner} )`),
      tie('vector').map((inner) => `- ${inner}`),
      tie('scalar').map((inner) => `vector(${inner})`),
    ),
    matrix: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      modified(fc.tuple(selector, duration).map(([inner, length]) => `${inner}[${length}]`)),
      fc
        .tuple(tie('vector'), duration, fc.oneof(fc.constant(''), duration), shift, offset)
        .map(([inner, length, step, at, by]) => `(${inner})[${length}:${step}] ${at} ${by}`),
    ),
  }
}).vector as fc.Arbitrary<string>
