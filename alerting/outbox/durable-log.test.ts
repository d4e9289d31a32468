import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mountSmallVolume, whyNoVolume } from '../../test/support/small-volume.ts'
import { openDurableLog } from './durable-log.ts'
import { decodeLogRecords, encodeLogRecord } from './log-record.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshwatch-log-'))
})

afterEach(() => rm(directory, { recursive: true }))

const ENTRIES = [{ a: 1 }, { b: 'ü', long: 'x'.repeat(5000) }, ['c']]

async function fill(): Promise<string> {
  const { log } = await openDurableLog(directory)
  await Promise.all(ENTRIES.map((entry) => log.append([entry])))
  await log.close()
  return join(directory, (await logNames())[0] ?? '')
}

async function logNames(): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.log')).sort()
}

async function reopen(): Promise<{ entries: readonly unknown[]; damagedBytes: number }> {
  const { log, entries, damagedBytes } = await openDurableLog(directory)
  await log.close()
  return { entries, damagedBytes }
}

test('gives back what was appended, in order', async () => {
  await fill()
  expect(await reopen()).toEqual({ entries: ENTRIES, damagedBytes: 0 })
})

test('a torn end is cut off and put aside; what is appended then is kept', async () => {
  const file = await fill()
  const whole = await readFile(file)
  await truncate(file, whole.length - 1)
  const { log, entries, damagedBytes } = await openDurableLog(directory)
  expect(entries).toEqual(ENTRIES.slice(0, 2))
  expect(damagedBytes).toBe(encodeLogRecord(ENTRIES[2]).length - 1)
  expect(await readdir(directory)).toContainEqual(expect.stringMatching(/\.damaged$/))
  await log.append(['news'])
  await log.close()
  expect((await reopen()).entries).toEqual([...ENTRIES.slice(0, 2), 'news'])
})

test('wherever it is cut and whichever bit flips, only whole good records come back', async () => {
  const all = Buffer.concat(ENTRIES.map(encodeLogRecord))
  await fc.assert(
    fc.asyncProperty(fc.nat(all.length), fc.nat(all.length * 8 - 1), async (length, bit) => {
      const cut = decodeLogRecords(all.subarray(0, length))
      expect(cut.entries).toEqual(ENTRIES.slice(0, cut.entries.length))
      const flipped = Buffer.from(all)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const { entries } = decodeLogRecords(flipped)
      expect(entries).toEqual(ENTRIES.slice(0, entries.length))
      expect(entries.length).toBeLessThan(ENTRIES.length)
    }),
  )
})

describe('replacing', () => {
  test('keeps the new content only, and what is appended around it', async () => {
    const { log } = await openDurableLog(directory)
    const before = log.append(['old'])
    const replaced = log.replace(['new'])
    const after = log.append(['newer'])
    await Promise.all([before, replaced, after])
    expect(log.sizeBytes()).toBe(encodeLogRecord('new').length + encodeLogRecord('newer').length)
    await log.close()
    expect(await logNames()).toHaveLength(1)
    expect((await reopen()).entries).toEqual(['new', 'newer'])
  })

  test('a crash before the rename leaves the old, one after it the new content', async () => {
    await fill()
    await writeFile(join(directory, 'outbox-00000001.log.new'), encodeLogRecord('half').subarray(0, 5))
    expect((await reopen()).entries).toEqual(ENTRIES)
    expect(await readdir(directory)).toEqual(['outbox-00000000.log'])
    await writeFile(join(directory, 'outbox-00000001.log'), encodeLogRecord('new'))
    expect((await reopen()).entries).toEqual(['new'])
    expect(await readdir(directory)).toEqual(['outbox-00000001.log'])
  })
})

const noVolume = whyNoVolume()
if (noVolume !== null) console.warn(`The test of a full disk is skipped: ${noVolume}`)

test.skipIf(noVolume !== null)(
  'a full disk refuses, keeps what was there, and takes more when it has room again',
  async () => {
    const volume = mountSmallVolume(1)
    try {
      const { log } = await openDurableLog(join(volume.path, 'log'))
      await log.append(['before'])
      volume.fill()
      await expect(log.append(['x'.repeat(100_000)])).rejects.toThrow(/ENOSPC/)
      await expect(log.replace(['x'.repeat(100_000)])).rejects.toThrow(/ENOSPC/)
      volume.free()
      await log.append(['after'])
      await log.close()
      const opened = await openDurableLog(join(volume.path, 'log'))
      await opened.log.close()
      expect([opened.entries, opened.damagedBytes]).toEqual([['before', 'after'], 0])
    } finally {
      volume.remove()
    }
  },
)
