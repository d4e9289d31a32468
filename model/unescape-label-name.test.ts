import { expect, test } from 'vitest'
import { unescapeLabelName } from './unescape-label-name.ts'

test.each([
  ['job', 'job'],
  ['__name__', '__name__'],
  ['U__http_2e_status', 'http.status'],
  ['U__http_2E_status__code', 'http.status_code'],
  ['U___fc_n_ef_', 'ünï'],
  ['U___1f600_', '😀'],
  ['U__', ''],
  // Not well formed.
  ['U__a_', 'U__a_'],
  ['U__a_2e', 'U__a_2e'],
  ['U__a_xyz_', 'U__a_xyz_'],
  ['U___d800_', 'U___d800_'],
  ['U___110000_', 'U___110000_'],
  ['U___1000000_', 'U___1000000_'],
])('%s is %s', (escaped, name) => {
  expect(unescapeLabelName(escaped)).toBe(name)
})
