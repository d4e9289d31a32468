import { randomUUID } from 'node:crypto'
import { createMetricsEngine } from '../../query/metrics/create-metrics-engine.ts'
import { createSampleWriter } from '../../query/metrics/create-sample-writer.ts'
import { openQueryDeps } from '../support/open-query-deps.ts'
import { SCRIPT_OPTIONS, type ScriptTarget } from './script-target.ts'

/** The ways from storage to an answer: raw samples, push-down into ClickHouse, or both side by side. */
export type ScriptPath = 'raw' | 'pushdown' | 'both'

/** Samples in the embedded ClickHouse, written as rules' samples are, behind the engine that the product has. */
export async function openStorageTarget(path: ScriptPath): Promise<ScriptTarget> {
  const deps = await openQueryDeps()
  const writer = createSampleWriter(deps.storage)
  const paths = path === 'both' ? (['raw', 'pushdown'] as const) : [path]
  let tenant = randomUUID()
  return {
    tenant: () => tenant,
    load: (samples) => writer.write(tenant, samples, randomUUID()),
    clear: async () => {
      tenant = randomUUID()
    },
    engines: paths.map((only) => {
      const options = { ...SCRIPT_OPTIONS, path: only }
      return createMetricsEngine(deps, options)
    }),
    close: () => deps.close(),
  }
}
