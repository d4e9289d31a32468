import { HEALTHY, type PaymentsBehaviour } from './start-payments.ts'

/** Something that goes wrong in the demo, and the alert that tells it. */
export interface Incident {
  /** For people. */
  readonly title: string
  /** The alert of `demo.rules.yaml` that must fire. */
  readonly alert: string
  /** What each of the three endpoints of payments does meanwhile. */
  readonly behaviours: readonly [PaymentsBehaviour, PaymentsBehaviour, PaymentsBehaviour]
}

/** 500 is retried by the policy and not counted by its outlier detection, which goes by 502 to 504. */
const STRUGGLING: PaymentsBehaviour = { delayMs: 120, failureShare: 0.7, failureStatus: 500 }
const BROKEN: PaymentsBehaviour = { delayMs: 5, failureShare: 1, failureStatus: 503 }
/** More requests come than the breaker lets wait for answers that take this long. */
const STUCK: PaymentsBehaviour = { delayMs: 4000, failureShare: 0, failureStatus: 500 }

/** The incidents, in their order. */
export const INCIDENTS: readonly Incident[] = [
  {
    title: 'payments is slow and fails: retries multiply its load',
    alert: 'DemoRetryStorm',
    behaviours: [STRUGGLING, STRUGGLING, STRUGGLING],
  },
  {
    title: 'one endpoint of payments is broken: it is ejected',
    alert: 'DemoEndpointEjected',
    behaviours: [HEALTHY, BROKEN, HEALTHY],
  },
  {
    title: 'payments is stuck: the circuit breaker overflows',
    alert: 'DemoBreakerOverflow',
    behaviours: [STUCK, STUCK, STUCK],
  },
]
