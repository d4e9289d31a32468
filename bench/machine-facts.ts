import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { resolve } from 'node:path'

/** What a figure depends on, one line each. */
export function machineFacts(now: Date): string[] {
  const processors = cpus()
  return [
    `date     ${now.toISOString()}`,
    `machine  ${processors.length} cores (${processors[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, load average ${loadavg()[0]?.toFixed(1)} before the run`,
    `software Node.js ${process.versions.node}, chdb ${packageVersion('chdb')}, ${process.platform} ${process.arch}`,
    `commit   ${commit()}`,
  ]
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  try {
    const isDirty = git('status', '--porcelain', '--untracked-files=no').trim() !== ''
    return `${git('rev-parse', '--short', 'HEAD').trim()}${isDirty ? ' with changes' : ''}`
  } catch {
    return 'unknown: no git checkout'
  }
}

function packageVersion(name: string): string {
  const path = resolve(import.meta.dirname, '../node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version
}
