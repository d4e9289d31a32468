import { AppError, errorMessage } from './errors.ts'

/** Why a listener could not be opened, in one sentence. `name` is the listener's path in the configuration. */
export function listenError(name: string, host: string, port: number, thrown: unknown): AppError {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : ''
  const reason = REASONS[code] ?? errorMessage(thrown)
  return new AppError('CANNOT_START', `Cannot listen on ${hostPort(host, port)} (${name}): ${reason}`, {
    cause: thrown,
  })
}

/** `127.0.0.1:4317`, `[::1]:4317`. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process is using that port',
  EACCES: 'the system does not permit it to this user',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
}
