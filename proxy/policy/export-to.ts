/** Whether a rule of namespace `home` is visible in `namespace`: `.` its own, `*` or nothing at all everywhere, else by name. */
export function isForNamespace(
  exportTo: readonly string[] | undefined,
  home: string,
  namespace: string,
): boolean {
  if (exportTo === undefined || exportTo.length === 0) return true
  return exportTo.some(
    (entry) => entry === '*' || entry === namespace || (entry === '.' && home === namespace),
  )
}
