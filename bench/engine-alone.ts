// Opens the embedded engine on a data directory and nothing else, says how long it took, and waits until standard input ends.
process.env['UV_THREADPOOL_SIZE'] ??= '32'
const begun = performance.now()
const { openEngine } = await import('../storage/embedded/open-engine.ts')
const { join } = await import('node:path')

const dataDir = process.argv[2] ?? ''
const engine = await openEngine({
  path: join(dataDir, 'clickhouse'),
  temporaryDir: join(dataDir, 'tmp'),
  maxMemoryBytes: 2 ** 31,
})
await engine.queryAsync('SELECT 1')
const openMs = performance.now() - begun
const version = (await engine.queryAsync('SELECT version()', { format: 'TabSeparated' })).text().trim()
process.stdout.write(`${JSON.stringify({ openMs, version })}\n`)
for await (const _ of process.stdin);
engine.close()
