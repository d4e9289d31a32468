#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --max-semi-space-size=16
// Less memory kept for later, at no cost that could be measured: two pools of libc's instead of one for each of up to 16 threads, and a quarter
// of the room that each JavaScript thread would have for young objects.
const MINIMUM_NODE = 24

if (Number(process.versions.node.split('.', 1)[0]) < MINIMUM_NODE) {
  process.stderr.write(
    `Cannot run: Node.js ${MINIMUM_NODE} or newer is needed, this is ${process.versions.node} (npm start brings its own)\n`,
  )
  process.exit(1)
}

// Queries of the embedded engine hold a thread of libuv's pool while they run, and file writes wait for one. The pool's size is
// read at its first use, so everything that might use it is imported below.
process.env['UV_THREADPOOL_SIZE'] ??= '32'

const { runProgram } = await import('../app/program.ts')
const exitCode = await runProgram(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  environment: process.env,
  isTerminal: process.stdout.isTTY === true,
  columns: process.stdout.columns ?? 80,
})
process.exit(exitCode)
