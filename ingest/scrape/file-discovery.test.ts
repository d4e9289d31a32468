import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createFileDiscovery, type FileDiscovery } from './file-discovery.ts'
import { scrapeJob } from './scrape-job.ts'

const PATIENCE = { timeout: 10_000, interval: 20 }

let dir: string
let discovery: FileDiscovery
let problems: string[]
let changes: number

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'meshwatch-discovery-'))
  problems = []
  changes = 0
  discovery = createFileDiscovery({
    onChange: () => {
      changes += 1
    },
    onProblem: (problem) => problems.push(problem),
  })
})
afterEach(() => {
  discovery.close()
  rmSync(dir, { recursive: true, force: true })
})

const jobOf = (name: string, files: readonly string[], refreshInterval = '5m') =>
  scrapeJob.parse({
    jobName: name,
    fileSdConfigs: [{ files: files.map((file) => join(dir, file)), refreshInterval }],
  })
const write = (file: string, groups: unknown) => writeFileSync(join(dir, file), JSON.stringify(groups))
const found = (...jobs: readonly ReturnType<typeof jobOf>[]) => {
  const groups = discovery.find(jobs)
  return jobs.map((job) => groups.get(job)?.flatMap(({ targets }) => targets))
}

describe('createFileDiscovery', () => {
  test('reads JSON and YAML, and tells the file', () => {
    write('a.json', [{ targets: ['h:1', 'http://h/x'], labels: { zone: 'z' } }, { targets: [] }])
    writeFileSync(join(dir, 'b.yml'), '- targets: [h:2]\n  labels: { port: 8080 }\n')
    writeFileSync(join(dir, 'empty.yaml'), '')
    const job = jobOf('j', ['*.json', '*.yml', 'a.json', '*.yaml'])
    expect(discovery.find([job]).get(job)).toEqual([
      { targets: ['h:1', 'http://h/x'], labels: { zone: 'z', __meta_filepath: join(dir, 'a.json') } },
      { targets: [], labels: { __meta_filepath: join(dir, 'a.json') } },
      { targets: ['h:2'], labels: { port: '8080', __meta_filepath: join(dir, 'b.yml') } },
    ])
    expect(problems).toEqual([])
  })

  test('of a file that cannot be read the targets of before stay; of one that is gone they do not', () => {
    write('a.json', [{ targets: ['h:1'] }])
    write('b.json', [{ targets: ['h:2'] }])
    const job = jobOf('j', ['*.json'])
    const other = jobOf('k', ['a.json'])
    expect(found(job, other)).toEqual([['h:1', 'h:2'], ['h:1']])
    writeFileSync(join(dir, 'a.json'), '[{"targets":')
    expect(found(job, other)).toEqual([['h:1', 'h:2'], ['h:1']])
    expect(found(job, other)).toEqual([['h:1', 'h:2'], ['h:1']])
    expect(problems).toEqual([expect.stringContaining(`Cannot read the targets of ${join(dir, 'a.json')}: `)])
    write('a.json', [{ targets: ['h:9'], labls: {} }])
    expect(found(job)).toEqual([['h:1', 'h:2']])
    expect(problems[1]).toContain('Unrecognized key')
    write('a.json', [null])
    expect(found(job)).toEqual([['h:1', 'h:2']])
    rmSync(join(dir, 'b.json'))
    expect(found(job)).toEqual([['h:1']])
    write('a.json', [{ targets: ['h:3'] }])
    expect(found(job)).toEqual([['h:3']])
    rmSync(join(dir, 'a.json'))
    expect(found(job)).toEqual([[]])
    // Nothing is left of it when it comes back broken.
    writeFileSync(join(dir, 'a.json'), '{')
    expect(found(job)).toEqual([[]])
    expect(problems).toHaveLength(4)
  })

  test('a change is told, in a folder that is made anew too', async () => {
    mkdirSync(join(dir, 'sd'))
    const job = jobOf('j', ['sd/*.json'])
    expect(found(job)).toEqual([[]])
    write('sd/a.json', [{ targets: ['h:1'] }])
    await vi.waitFor(() => expect(changes).toBeGreaterThan(0), PATIENCE)
    expect(found(job)).toEqual([['h:1']])

    renameSync(join(dir, 'sd'), join(dir, 'old'))
    mkdirSync(join(dir, 'sd'))
    expect(found(job)).toEqual([[]])
    changes = 0
    write('sd/b.json', [{ targets: ['h:2'] }])
    await vi.waitFor(() => expect(changes).toBeGreaterThan(0), PATIENCE)
    expect(found(job)).toEqual([['h:2']])
  })

  test('files are looked at again after the interval, where nothing can be watched', async () => {
    const job = jobOf('j', ['later/a.json'], '100ms')
    const slow = jobOf('k', ['later/b.json'], '30d')
    expect(found(slow, job)).toEqual([[], []])
    mkdirSync(join(dir, 'later'))
    write('later/a.json', [{ targets: ['h:1'] }])
    await vi.waitFor(() => expect(changes).toBeGreaterThan(0), PATIENCE)
    expect(found(slow, job)).toEqual([[], ['h:1']])
  })
})

test.each([
  [{ files: [] }, /fileSdConfigs/],
  [{ files: ['a.txt'] }, /ends in \.json/],
  [{ files: ['*/a.json'] }, /only in its last part/],
  [{ files: ['a.json'], refreshInterval: '0s' }, /refreshInterval/],
])('%j is refused', (config, message) => {
  expect(() => scrapeJob.parse({ jobName: 'j', fileSdConfigs: [config] })).toThrow(message)
})
