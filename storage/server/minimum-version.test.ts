import { expect, test } from 'vitest'
import { refuseOldVersion } from './minimum-version.ts'

test.each(['25.11.1.1', '25.12.1.1', '26.1.0.0', '26.7.2.1'])('%s is new enough', (version) => {
  expect(() => refuseOldVersion(version)).not.toThrow()
})

test.each(['25.10.9.9', '24.12.1.1', '18.16.1', '', 'x.y'])('%j is not', (version) => {
  expect(() => refuseOldVersion(version)).toThrow('is older than 25.11')
})
