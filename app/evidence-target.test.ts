import { expect, test } from 'vitest'
import { labelsFrom } from '../model/labels.ts'
import { evidenceTarget } from './evidence-target.ts'

test.each([
  [
    { cluster_name: 'outbound|8080||payments.shop.svc.cluster.local' },
    {
      upstreams: ['payments.shop'],
      cluster: 'outbound|8080||payments.shop.svc.cluster.local',
      service: null,
    },
  ],
  [{ envoy_cluster_name: 'payments' }, { upstreams: ['payments'], cluster: 'payments', service: null }],
  [
    { destination_service_name: 'payments', destination_service_namespace: 'shop' },
    { upstreams: ['payments.shop', 'payments'], cluster: null, service: null },
  ],
  [
    { destination_service_name: 'payments', destination_service_namespace: 'unknown' },
    { upstreams: ['payments'], cluster: null, service: null },
  ],
  [
    { service: 'cart', job: 'x' },
    { upstreams: [], cluster: null, service: 'cart' },
  ],
  [{ alertname: 'A' }, { upstreams: [], cluster: null, service: null }],
])('%j', (labels, expected) => {
  expect(evidenceTarget(labelsFrom(Object.entries(labels)))).toEqual(expected)
})
