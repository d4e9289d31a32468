// Prints "PASSED FAILED" from vitest's JSON report. Usage: count-tests.mjs REPORT EXIT_CODE
import { readFileSync } from 'node:fs'

const [, , reportFile, exitCode] = process.argv
let passed = 0
let failed = 0
try {
  const report = JSON.parse(readFileSync(reportFile, 'utf8'))
  passed = report.numPassedTests
  // A file that could not even be loaded has no failed test in it and is a failure all the same.
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  )
  failed = report.numFailedTests + broken.length
} catch {
  failed = 0
}
// Whatever the report says: a run that ended badly has not passed.
if (exitCode !== '0' && failed === 0) failed = 1
process.stdout.write(`${passed} ${failed}\n`)
