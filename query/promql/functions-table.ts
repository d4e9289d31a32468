import type { ValueType } from './ast.ts'

/** What a function takes and gives. */
export interface FunctionSignature {
  readonly name: string
  readonly argTypes: readonly ValueType[]
  /**
   * 0: exactly the arguments of `argTypes`. n > 0: the last of `argTypes` may be left out and may come up to n times.
   * -1: it may be left out and may come any number of times.
   */
  readonly variadic: number
  readonly returnType: ValueType
  /** Behind a feature flag in Prometheus. */
  readonly isExperimental: boolean
}

const SIGNATURES = `
abs(vector); absent(vector); absent_over_time(matrix); acos(vector); acosh(vector); asin(vector); asinh(vector);
atan(vector); atanh(vector); avg_over_time(matrix); ceil(vector); changes(matrix); clamp(vector,scalar,scalar);
clamp_max(vector,scalar); clamp_min(vector,scalar); cos(vector); cosh(vector); count_over_time(matrix);
days_in_month(vector)~1; day_of_month(vector)~1; day_of_week(vector)~1; day_of_year(vector)~1; deg(vector);
delta(matrix); deriv(matrix); double_exponential_smoothing(matrix,scalar,scalar)!; end():scalar!; exp(vector);
first_over_time(matrix); floor(vector); histogram_avg(vector); histogram_count(vector); histogram_sum(vector);
histogram_stddev(vector); histogram_stdvar(vector); histogram_fraction(scalar,scalar,vector);
histogram_quantile(scalar,vector); histogram_quantiles(vector,string,scalar,scalar)~9!; hour(vector)~1; idelta(matrix);
increase(matrix); info(vector,vector)~1!; irate(matrix); label_replace(vector,string,string,string,string);
label_join(vector,string,string,string)~-1; last_over_time(matrix); ln(vector); log10(vector); log2(vector);
mad_over_time(matrix)!; max_of(scalar,scalar):scalar!; max_over_time(matrix); min_of(scalar,scalar):scalar!;
min_over_time(matrix); minute(vector)~1; month(vector)~1; pi():scalar; predict_linear(matrix,scalar);
present_over_time(matrix); quantile_over_time(scalar,matrix); rad(vector); range():scalar!; rate(matrix);
resets(matrix); round(vector,scalar)~1; scalar(vector):scalar; sgn(vector); sin(vector); sinh(vector); sort(vector);
sort_desc(vector); sort_by_label(vector,string)~-1!; sort_by_label_desc(vector,string)~-1!; sqrt(vector);
start():scalar!; start_timestamp(vector)!; stddev_over_time(matrix); stdvar_over_time(matrix); step():scalar!;
sum_over_time(matrix); tan(vector); tanh(vector); time():scalar; timestamp(vector); ts_of_first_over_time(matrix)!;
ts_of_last_over_time(matrix)!; ts_of_max_over_time(matrix)!; ts_of_min_over_time(matrix)!; vector(scalar);
year(vector)~1`

/** Every function of Prometheus 3, by name; the aggregations are no functions. */
export const FUNCTIONS: ReadonlyMap<string, FunctionSignature> = new Map(
  SIGNATURES.split(';').map((text) => {
    const signature = readSignature(text.trim())
    return [signature.name, signature]
  }),
)

function readSignature(text: string): FunctionSignature {
  const match = /^(\w+)\(([\w,]*)\)(?:~(-?\d+))?(?::(\w+))?(!)?$/.exec(text)
  if (match === null) throw new Error(`Cannot read the signature of a function: ${text}`)
  const [, name = '', args = '', variadic = '0', returnType = 'vector', experimental] = match
  return {
    name,
    argTypes: args === '' ? [] : (args.split(',') as ValueType[]),
    variadic: Number(variadic),
    returnType: returnType as ValueType,
    isExperimental: experimental !== undefined,
  }
}
