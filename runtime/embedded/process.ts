/** Questions about processes and ports that Node has no call for. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { platform } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { textOf } from '../errors.ts'

/** Whether a process with that pid is running, whoever it belongs to. One that has ended and isn't reaped yet is not. */
export function isAlive(pid: number): boolean {
  if (platform() === 'linux') return (statOf(pid)?.[0] ?? 'Z') !== 'Z'
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * A text that two processes never share, also when the second one got the first one's pid: boot and start time.
 * Null when no such process is running.
 */
export function processIdentity(pid: number): string | null {
  if (!isAlive(pid)) return null
  if (platform() !== 'linux') return ps(pid, 'lstart=') || null
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const startTime = statOf(pid)?.[19]
  return startTime ? `${boot}/${startTime}` : null
}

/** Fields of /proc/<pid>/stat from the process' state on; null when there is no such process. */
function statOf(pid: number): string[] | null {
  try {
    // The field before is the command in brackets, which may hold anything: count from its end.
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
  } catch {
    return null
  }
}

/** Command line of a process; empty when there is none. */
export function commandOf(pid: number): string {
  if (platform() !== 'linux') return ps(pid, 'args=')
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

function ps(pid: number, field: string): string {
  try {
    return execFileSync('ps', ['-o', field, '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}

/** Ends a process that isn't our child: `signal` first, SIGKILL after `graceMs`. Returns when it is gone. */
export async function endStranger(pid: number, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  const deadline = performance.now() + graceMs
  sendSignal(pid, signal)
  while (isAlive(pid)) {
    if (performance.now() > deadline) sendSignal(pid, 'SIGKILL')
    await delay(20)
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** What a command that failed (run by execFile) said last, in one line, or how it ended. */
export function lastWords(error: unknown): string {
  const { stderr, code, signal } = error as { stderr?: unknown; code?: unknown; signal?: unknown }
  const said = typeof stderr === 'string' ? stderr.trim().split('\n').at(-1) : ''
  if (said) return said
  if (code === 'ENOENT') return 'not found'
  return typeof code === 'number'
    ? `exit code ${code}`
    : typeof signal === 'string'
      ? `ended by ${signal}`
      : textOf(error)
}

/** A free TCP port of 127.0.0.1: `preferred` if nobody listens there, else any. */
export async function freePort(preferred = 0): Promise<number> {
  return (await tryPort(preferred)) ?? (await freePort())
}

function tryPort(port: number): Promise<number | null> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (port === 0 ? reject(error) : resolve(null)))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address() as AddressInfo
      server.close(() => resolve(address.port))
    })
  })
}
