import { z } from 'zod'
import { port, textMap } from './policy-values.ts'

/**
 * An endpoints document: who stands behind which host. It has no `kind`; its one key is `clusters`.
 * A host with several ports has an entry for each.
 */
export const endpointsSchema = z.strictObject({
  clusters: z.array(
    z.strictObject({
      /** Short (`payments`), or in full (`payments.shop.svc.cluster.local`). */
      host: z.string().min(1),
      port,
      subsets: z.array(z.strictObject({ name: z.string().min(1), labels: textMap })).default([]),
      endpoints: z
        .array(
          z.strictObject({
            address: z
              .string()
              .regex(
                /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s/]+):\d{1,5}$/,
                'expected HOST:PORT, an IPv6 address in []',
              ),
            labels: textMap.default({}),
            weight: z.int().min(1).max(1_000_000).default(1),
          }),
        )
        .default([]),
    }),
  ),
})

/** An endpoints document, valid. */
export type EndpointsDocument = z.output<typeof endpointsSchema>
/** An entry of its `clusters`. */
export type EndpointsEntry = EndpointsDocument['clusters'][number]
