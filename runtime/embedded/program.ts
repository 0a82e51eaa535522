import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { textOf, Unavailable } from '../errors.ts'
import type { Guard } from './guard.ts'

/** A server to be run as a child process. */
export interface Program {
  readonly name: 'nats' | 'postgres'
  readonly command: string
  readonly args: readonly string[]
  /** User to run as; null: the own one. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  readonly logFile: string
  /** The signal that ends it cleanly. */
  readonly endsBy: NodeJS.Signals
  /** Resolves when it serves. Is given up, by the signal, when the process has ended. */
  readonly ready: (pid: number, signal: AbortSignal) => Promise<void>
}

export interface Running {
  /** Pid of the process that runs now; null between an end and the next start. */
  pid(): number | null
  /** Ends it, or starts no more; twice is harmless. */
  stop(): Promise<void>
}

const readyWithinMs = 60_000
const stopGraceMs = 15_000
const restartDelayMaxMs = 5_000
const healthyAfterMs = 10_000
const logLimitBytes = 10 * 1024 * 1024

/**
 * Starts a program, resolves when it is ready, and starts it again whenever it ends by itself. Rejects with
 * `Unavailable` and the end of its log when it isn't ready the first time.
 */
export async function keepRunning(
  program: Program,
  guard: Guard,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<Running> {
  const stopping = new AbortController()
  const until = signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal
  let child = await launch(program, guard, until)
  const supervision = supervise()

  async function supervise(): Promise<void> {
    for (let failures = 0; ; failures++) {
      const since = performance.now()
      await orAborted(exitOf(child), stopping.signal)
      if (stopping.signal.aborted) return end(child, program.endsBy)
      log(`${program.name} has ended (${howItEnded(child)}), see ${program.logFile}; starting it again`)
      if (performance.now() - since > healthyAfterMs) failures = 0
      await orAborted(delay(Math.min(100 * 2 ** failures, restartDelayMaxMs)), stopping.signal)
      child = await launch(program, guard, stopping.signal).catch(logged)
    }
  }

  /** A start that failed leaves the old, ended process in place: the loop tries again. */
  function logged(error: unknown): ChildProcess {
    if (!stopping.signal.aborted) log(textOf(error))
    return child
  }

  return {
    pid: () => (hasEnded(child) ? null : (child.pid ?? null)),
    stop() {
      stopping.abort()
      return supervision
    },
  }
}

/** Waits for whatever comes first. */
function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const settle = () => resolve()
    signal.addEventListener('abort', settle, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', settle))
  })
}

async function launch(program: Program, guard: Guard, signal: AbortSignal): Promise<ChildProcess> {
  signal.throwIfAborted()
  const child = spawnLogged(program)
  guard.watch(child, program.endsBy)
  // Whoever forgets stop() shall still end; then the guard ends the program.
  child.unref()
  const ended = new AbortController()
  void exitOf(child).then(() => ended.abort())
  try {
    const within = AbortSignal.timeout(readyWithinMs)
    await program.ready(child.pid ?? 0, AbortSignal.any([signal, ended.signal, within]))
    return child
  } catch (error) {
    const how = hasEnded(child) ? `ended at its start (${howItEnded(child)})` : `wasn't ready`
    await end(child, program.endsBy)
    signal.throwIfAborted()
    throw new Unavailable(program.name, `${program.name} ${how}: ${lastLines(program.logFile)}`, { cause: error })
  }
}

/** Detached, so in a process group of its own: a ^C in the terminal must not end it before the engine has closed. */
function spawnLogged(program: Program): ChildProcess {
  const log = openLog(program.logFile)
  try {
    const child = spawn(program.command, program.args, {
      ...(program.user ?? {}),
      detached: true,
      cwd: '/',
      stdio: ['ignore', log, log],
    })
    // What can't be started has no pid and never exits: exitOf() sees that too.
    child.on('error', () => {})
    return child
  } finally {
    closeSync(log)
  }
}

/** Appends to the log; a start with a log over 10 MiB begins a new one and keeps one old one. */
function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > logLimitBytes) renameSync(file, `${file}.1`)
  return openSync(file, 'a', 0o600)
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  child.ref()
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), stopGraceMs)
  await exitOf(child)
  clearTimeout(timer)
}

function exitOf(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

function howItEnded(child: ChildProcess): string {
  return child.signalCode ?? (child.pid === undefined ? 'it could not be started' : `exit code ${child.exitCode}`)
}

/** The end of a log, in one line. */
function lastLines(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-3)
  return `${lines.join(' | ')} (${file})`
}
