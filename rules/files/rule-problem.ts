/** Something about a rule file. A warning does not keep the file from being used. */
export interface RuleProblem {
  readonly file: string
  /** From 1; 0 when it is about the file as a whole. */
  readonly line: number
  readonly column: number
  readonly severity: 'error' | 'warning'
  /** Worded as Prometheus words it, without file and position. */
  readonly message: string
}

/** A problem as one line: `rules.yml: 3:9: group "g", rule 1, "Down": field 'expr' must be set in rule`. */
export function ruleProblemText(problem: RuleProblem): string {
  const position = problem.line === 0 ? '' : `${problem.line}:${problem.column}: `
  return `${problem.file}: ${position}${problem.severity === 'warning' ? 'warning: ' : ''}${problem.message}`
}
