import { compareBytes, type Labels, labelPairs, labelValue } from '../../model/labels.ts'

/** Alertmanager's order of alerts in a message: by `job`, `instance`, fewer labels first, then label by label. */
export function compareAlertLabels(a: Labels, b: Labels): number {
  for (const name of ['job', 'instance']) {
    const order = compareBytes(labelValue(a, name), labelValue(b, name))
    if (order !== 0) return order
  }
  if (a.length !== b.length) return a.length - b.length
  const others = [...labelPairs(b)]
  for (const [index, [name, value]] of [...labelPairs(a)].entries()) {
    const [otherName, otherValue] = others[index] ?? ['', '']
    const order = compareBytes(name, otherName) || compareBytes(value, otherValue)
    if (order !== 0) return order
  }
  return 0
}
