import { parseBenchOptions } from './bench-options.ts'
import { BENCHMARKS } from './benchmarks.ts'
import { figureTable } from './figure.ts'
import { machineFacts } from './machine-facts.ts'

/** Runs `NAME [options]` and prints its table; without a name, lists the names. Returns the exit code. */
export async function runBenchmark(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  const benchmark = BENCHMARKS.find((candidate) => candidate.name === name)
  if (benchmark === undefined) {
    const list = BENCHMARKS.map((one) => `  ${one.name.padEnd(14)} ${one.description}`).join('\n')
    console.log(
      `npm run bench -- NAME [--seconds N] [--rate N] [--spans N] [--series N] [--connections N] [--questions N] [--directory DIR]\n\n${list}`,
    )
    return name === undefined ? 0 : 2
  }
  const options = parseBenchOptions(rest)
  console.log(`npm run bench -- ${args.join(' ')}`)
  for (const fact of machineFacts(new Date())) console.log(fact)
  console.log('')
  const figures = await (await benchmark.load())(options)
  console.log(`\n${figureTable(figures)}`)
  return 0
}
