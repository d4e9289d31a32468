import { type FSWatcher, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { errorMessage } from '../../runtime/errors.ts'
import { listTargetFiles } from './list-target-files.ts'
import { readTargetGroups } from './read-target-groups.ts'
import type { ScrapeJob, TargetGroup } from './scrape-job.ts'

/** What a discovery works with. */
export interface FileDiscoveryOptions {
  /** Files may have changed: look at them again. */
  readonly onChange: () => void
  /** A file cannot be read; told once as long as the reason is the same. */
  readonly onProblem: (problem: string) => void
}

/** Finds targets in files (`file_sd_configs`). */
export interface FileDiscovery {
  /**
   * The groups of each job's files, as they are now. Of a file that cannot be read the groups of before stay; those of a file that is gone
   * do not. From now on changes of these files are told, and files that no job names any more are forgotten.
   */
  find(jobs: readonly ScrapeJob[]): ReadonlyMap<ScrapeJob, readonly TargetGroup[]>
  close(): void
}

/** A file is written in several steps: changes so close to each other are one. */
const SETTLED_AFTER_MS = 50
/** The longest time a timer takes. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

interface Watched {
  readonly watcher: FSWatcher
  readonly inode: number
}

/** Starts with no files. Changes are noticed by watching folders, and by looking again after `refreshInterval`. */
export function createFileDiscovery({ onChange, onProblem }: FileDiscoveryOptions): FileDiscovery {
  let known = new Map<string, readonly TargetGroup[]>()
  let problems = new Map<string, string>()
  const watchers = new Map<string, Watched>()
  let refresh: NodeJS.Timeout | undefined
  let settling: NodeJS.Timeout | undefined

  function noticeChange(): void {
    settling ??= setTimeout(() => {
      settling = undefined
      onChange()
    }, SETTLED_AFTER_MS)
  }

  function watchFolders(folders: ReadonlySet<string>): void {
    for (const folder of watchers.keys()) if (!folders.has(folder)) forget(folder)
    for (const folder of folders) {
      try {
        const inode = statSync(folder).ino
        // A folder that was made anew is another one, and its watcher sees nothing any more.
        if (watchers.get(folder)?.inode === inode) continue
        forget(folder)
        const watcher = watch(folder, { persistent: false }, noticeChange)
        watcher.on('error', () => forget(folder))
        watchers.set(folder, { watcher, inode })
      } catch {
        // It is not there: the next look after the interval may find it.
        forget(folder)
      }
    }
  }

  function forget(folder: string): void {
    watchers.get(folder)?.watcher.close()
    watchers.delete(folder)
  }

  function read(path: string, readNow: Map<string, readonly TargetGroup[]>, wrongNow: Map<string, string>) {
    const before = readNow.get(path)
    if (before !== undefined) return before
    let groups: readonly TargetGroup[]
    try {
      groups = readTargetGroups(path)
    } catch (error) {
      groups = known.get(path) ?? []
      const problem = errorMessage(error)
      wrongNow.set(path, problem)
      if (problems.get(path) !== problem) onProblem(problem)
    }
    readNow.set(path, groups)
    return groups
  }

  return {
    find(jobs) {
      const configs = jobs.flatMap((job) => job.fileSdConfigs)
      // Watched before they are read, so that no change falls in between.
      watchFolders(new Set(configs.flatMap(({ files }) => files.map(dirname))))
      const readNow = new Map<string, readonly TargetGroup[]>()
      const wrongNow = new Map<string, string>()
      const found = new Map(
        jobs.map((job) => {
          const names = new Set(job.fileSdConfigs.flatMap(({ files }) => files.flatMap(listTargetFiles)))
          return [job, [...names].flatMap((path) => read(path, readNow, wrongNow))] as const
        }),
      )
      known = readNow
      problems = wrongNow
      clearTimeout(refresh)
      const soonest = Math.min(LONGEST_TIMER_MS, ...configs.map(({ refreshInterval }) => refreshInterval))
      if (configs.length > 0) refresh = setTimeout(onChange, soonest)
      return found
    },
    close() {
      clearTimeout(refresh)
      clearTimeout(settling)
      for (const folder of watchers.keys()) forget(folder)
    },
  }
}
