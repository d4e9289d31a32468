import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../runtime/logger.ts'
import { createBlock } from '../native/block.ts'
import { FixedColumn } from '../native/fixed-column.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { createJournalWriter, type JournalWriter } from './journal-writer.ts'
import type { Position } from './position.ts'
import { segmentFileName } from './position.ts'
import { readBatch } from './read-batch.ts'
import { encodeRecord, recordByteLength } from './record.ts'
import { recoverJournal } from './recover-journal.ts'

let directory = ''
const column = new FixedColumn('UInt32', 4)
const block = createBlock('spans', { flags: column })

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'journal-'))
})
afterEach(async () => {
  block.reset()
  await rm(directory, { recursive: true, force: true })
})

/** A record with `rows` rows that all hold `value`. */
function record(value: number, rows = 3): Buffer {
  block.reset()
  for (let row = 0; row < rows; row++) column.pushUint32(value)
  const target = Buffer.alloc(recordByteLength([block]))
  return target.subarray(0, encodeRecord([block], 1000 + value, target))
}

function writer(firstSegment: number, segmentBytes = 1 << 20): JournalWriter {
  return createJournalWriter({
    directory,
    firstSegment,
    journal: 'test',
    tables: [{ table: 'spans', structure: block.structure }],
    isSynced: true,
    segmentBytes,
  })
}

/** The values of all records that can be read from the start, over all segments. */
async function readAll(until: Position): Promise<number[]> {
  const values: number[] = []
  for (let segment = 1; segment <= until.segment; segment++) {
    let from: Position = { segment, offset: 0 }
    for (;;) {
      const batch = await readBatch({ directory, from, until, maxBytes: 64 })
      for (const { blocks } of batch.tables) {
        for (const bytes of blocks) values.push(Buffer.from(bytes).readUInt32LE(bytes.length - 4))
      }
      if (batch.to.offset === batch.from.offset || batch.isDamaged) break
      from = batch.to
    }
  }
  return values
}

describe('the journal', () => {
  test('gives back what was appended, in order, over several segments', async () => {
    const journal = writer(1, 400)
    let end: Position = { segment: 1, offset: 0 }
    for (let value = 0; value < 20; value++) end = await journal.append(record(value))
    await journal.close()
    expect(end.segment).toBeGreaterThan(3)
    expect(await readAll(end)).toEqual(Array.from({ length: 20 }, (_, value) => value))
    const recovered = await recoverJournal(directory, silentLogger())
    expect(recovered.end).toEqual(end)
    expect(recovered.nextSegment).toBe(end.segment + 1)
    expect(recovered.cuts).toEqual([])
  })

  test('does not read behind what is committed', async () => {
    const journal = writer(1)
    const first = await journal.append(record(1))
    await journal.append(record(2))
    await journal.close()
    expect(await readAll(first)).toEqual([1])
  })

  test('is cut at the last good record wherever it is torn', async () => {
    const journal = writer(1)
    const ends: number[] = []
    for (let value = 0; value < 5; value++) ends.push((await journal.append(record(value))).offset)
    await journal.close()
    const path = join(directory, segmentFileName(1))
    const whole = readFileSync(path)
    for (let size = 0; size <= whole.length; size += 7) {
      writeFileSync(path, whole)
      truncateSync(path, size)
      const { end, cuts } = await recoverJournal(directory, silentLogger())
      const kept = ends.filter((offset) => offset <= size).length
      expect(await readAll(end)).toEqual([0, 1, 2, 3, 4].slice(0, kept))
      expect(statSync(path).size).toBe(kept === 0 && end.offset === 0 ? 0 : end.offset)
      expect(cuts.length).toBe(size === end.offset ? 0 : 1)
    }
  })

  test('never gives back a record with a flipped bit, and all before it', async () => {
    const journal = writer(1)
    const ends: number[] = []
    for (let value = 0; value < 5; value++) ends.push((await journal.append(record(value))).offset)
    await journal.close()
    const path = join(directory, segmentFileName(1))
    const whole = readFileSync(path)
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length * 8 - 1), async (bit) => {
        const damaged = Buffer.from(whole)
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
        writeFileSync(path, damaged)
        const { end } = await recoverJournal(directory, silentLogger())
        const good = ends.filter((offset) => offset <= bit >> 3).length
        expect(await readAll(end)).toEqual([0, 1, 2, 3, 4].slice(0, good))
      }),
      { numRuns: 200 },
    )
  })

  test('keeps what was cut off beside the segment', async () => {
    const journal = writer(1)
    const { offset } = await journal.append(record(1))
    await journal.close()
    const path = join(directory, segmentFileName(1))
    const file = await open(path, 'a')
    await file.write('half a record')
    await file.close()
    const { cuts } = await recoverJournal(directory, silentLogger())
    expect(cuts).toEqual([{ segment: 1, offset, bytes: 13 }])
    expect(readFileSync(`${path}.cut`, 'utf8')).toBe('half a record')
  })

  test('goes on behind the segments that are there', async () => {
    const first = writer(1)
    await first.append(record(1))
    await first.close()
    const { nextSegment } = await recoverJournal(directory, silentLogger())
    const second = writer(nextSegment)
    const end = await second.append(record(2))
    await second.close()
    expect(await readAll(end)).toEqual([1, 2])
  })

  test('says why it cannot write and goes on when it can', async () => {
    const journal = writer(1)
    await rm(directory, { recursive: true })
    await expect(journal.append(record(1))).rejects.toMatchObject({
      code: 'JOURNAL_UNWRITABLE',
      message: expect.stringContaining(`Cannot write to the journal in ${directory}`),
    })
    await mkdir(directory)
    const end = await journal.append(record(2))
    await journal.close()
    expect(await readAll(end)).toEqual([2])
  })
})

describe('the checkpoint', () => {
  test('is read as it was written', async () => {
    const checkpoint = {
      journal: 'j',
      loaded: { segment: 3, offset: 17 },
      loading: { segment: 3, offset: 40 },
    }
    await writeCheckpoint(directory, checkpoint, true)
    expect(await readCheckpoint(directory)).toEqual(checkpoint)
    expect(await readdir(directory)).toEqual(['checkpoint'])
    for (let offset = 40; offset < 50; offset++) {
      const next = { journal: 'j', loaded: { segment: 3, offset }, loading: null }
      await writeCheckpoint(directory, next, offset % 2 === 0)
      expect(await readCheckpoint(directory)).toEqual(next)
    }
  })

  test('is the one before when a write of it was cut short, wherever', async () => {
    const at = (offset: number) => ({ journal: 'j', loaded: { segment: 1, offset }, loading: null })
    const path = join(directory, 'checkpoint')
    for (const offset of [1, 2, 3]) {
      await writeCheckpoint(directory, at(offset), false)
      const before = readFileSync(path)
      await writeCheckpoint(directory, at(offset + 1), false)
      const after = readFileSync(path)
      const changed = [...after.keys()].filter((index) => after[index] !== before[index])
      for (const end of changed.slice(0, -1)) {
        writeFileSync(path, Buffer.concat([after.subarray(0, end + 1), before.subarray(end + 1)]))
        expect(await readCheckpoint(directory)).toEqual(at(offset))
      }
      writeFileSync(path, after)
      expect(await readCheckpoint(directory)).toEqual(at(offset + 1))
    }
  })

  test('that is damaged stops the start and says what to do', async () => {
    writeFileSync(join(directory, 'checkpoint'), '{"version":1,')
    await expect(recoverJournal(directory, silentLogger())).rejects.toMatchObject({
      code: 'CANNOT_START',
      message: expect.stringContaining('it is damaged'),
    })
  })

  test('makes what is before it uninteresting', async () => {
    const journal = writer(1)
    const first = await journal.append(record(1))
    const second = await journal.append(record(2))
    await journal.close()
    await writeCheckpoint(directory, { journal: 'j', loaded: first, loading: null }, true)
    const recovered = await recoverJournal(directory, silentLogger())
    expect(recovered.pendingBytes).toBe(second.offset - first.offset)
    expect(recovered.checkpoint.loaded).toEqual(first)
  })
})
