/**
 * Loaded into the program with `--import`: on SIGUSR2 something breaks that nobody has foreseen. `PLANT_FAILURE` says what:
 * `exception` or `rejection` in the main thread, `thread` (an exception in the receiver thread), `exit` (the thread just ends).
 */
import { BroadcastChannel, isMainThread } from 'node:worker_threads'

const kind = process.env['PLANT_FAILURE'] ?? ''
const channel = new BroadcastChannel('plant-failure')
channel.unref()

if (isMainThread) {
  process.on('SIGUSR2', () => {
    if (kind === 'exception') throw new Error('planted')
    if (kind === 'rejection') void Promise.reject(new Error('planted'))
    else channel.postMessage(kind)
  })
} else {
  channel.onmessage = () => {
    if (kind === 'exit') process.exit(0)
    throw new Error('planted')
  }
}
