/**
 * Ends the process at once with `code`, whatever its threads are doing: neither `exit` listeners nor the destructors of loaded
 * libraries run. `process.exit` runs them, and those of an engine in the middle of a statement wait for it for ever, or read
 * what is gone already. For leaving when things went wrong; what must last is on disk before. Where the system cannot replace a
 * process by another (Windows) it is `process.exit`.
 */
export function leaveNow(code: number): never {
  if (process.platform !== 'win32') {
    // Another program in this process's place, under its id, and with nothing to tear down.
    process.execve?.(process.execPath, [process.execPath, '-e', `process.exit(${code})`], {})
  }
  process.exit(code)
}
