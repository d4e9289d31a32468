// The embedded engine's queries hold threads of libuv's pool; its size is read at first use, as in bin/meshwatch.ts.
process.env['UV_THREADPOOL_SIZE'] ??= '32'

const { runBenchmark } = await import('./run-benchmark.ts')
process.exit(await runBenchmark(process.argv.slice(2)))
