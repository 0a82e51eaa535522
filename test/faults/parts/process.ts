/** The parts of an engine, each a process of its own that can be killed, stopped and told to die, and that comes back. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Guard } from '../../../runtime/embedded/guard.ts'
import { readyWord } from './points.ts'
import type { Arm, Point } from './points.ts'

/** What bridge.ts and control.ts get. */
export interface QueueSettings {
  readonly url: string
  readonly namespace: string
  readonly replicas: number
  readonly secretKey: string
}

export interface BridgeSettings extends QueueSettings {
  readonly highWater: number
}

export interface ControlSettings extends QueueSettings {
  readonly port: number
  readonly postgresUrl: string
  readonly adminToken: string
  readonly historyMs: number
  readonly historyMaxBytes: number
}

/** What worker.ts gets. */
export interface WorkerSettings {
  readonly port: number
  /** Where calls are written down. */
  readonly file: string
  readonly seed: number
  /** How much it misbehaves: 1 is usual, 0 not at all. */
  readonly mischief: number
}

/** Something that can be hit. Signals to what isn't there go nowhere. */
export interface Part {
  readonly name: string
  /** True while a process is there, whatever it does. */
  readonly isUp: boolean
  /** SIGKILL; stays down until `start`. */
  kill(): void
  start(): void
  /** SIGSTOP and SIGCONT. */
  freeze(): void
  thaw(): void
  /** Resolves when the process that is there works; also through deaths and restarts. */
  works(): Promise<void>
  /** SIGKILL for good; resolves when it is gone. */
  close(): Promise<void>
}

/** A part that can be told to die at a named point. */
export interface Armable extends Part {
  /** Resolves with true when the process has died of it, with false when it hasn't within `withinMs`: then it is called off. */
  dieAt(point: Point, nth: number, withinMs: number): Promise<boolean>
}

export interface Watched {
  /** Sees to it that nothing outlives the driver. */
  readonly guard: Guard
  /** Where the parts' output goes. */
  readonly logs: string
  /** A process ended that nobody had killed. */
  onUnexpectedEnd(name: string, how: string): void
}

const restartAfterMs = 300

/** A script of this folder, compiled, with its settings, over an IPC channel; started again whenever it ends. */
export function openScript(name: string, script: string, settings: object, watched: Watched): Armable {
  // Compiled: through tsx it would take twice as long to come back.
  const file = fileURLToPath(new URL(`../../../dist/test/faults/parts/${script}.js`, import.meta.url))
  return openProcess(name, process.execPath, [file, JSON.stringify(settings)], watched, true)
}

/** Any program; it works as soon as it is started, as far as is known here. */
export function openProgram(name: string, command: string, args: readonly string[], watched: Watched): Part {
  return openProcess(name, command, args, watched, false)
}

function openProcess(
  name: string,
  command: string,
  args: readonly string[],
  watched: Watched,
  isScript: boolean,
): Armable {
  const state = { wanted: true, armed: false, working: false, child: null as ChildProcess | null }
  const start = (): void => {
    if (state.child !== null || !state.wanted) return
    const child = launch(name, command, args, watched, isScript)
    state.child = child
    state.working = !isScript
    child.on('message', (message) => void (message === readyWord && (state.working = true)))
    child.once('exit', (code, signal) => {
      state.child = null
      state.working = false
      if (state.wanted && !state.armed) watched.onUnexpectedEnd(name, signal ?? `exit code ${code}`)
      if (state.wanted) setTimeout(start, restartAfterMs)
    })
  }
  const signal = (which: NodeJS.Signals): void => void state.child?.kill(which)
  const kill = (): void => {
    state.wanted = false
    signal('SIGKILL')
  }
  start()
  return {
    name,
    get isUp() {
      return state.child !== null
    },
    kill,
    start() {
      state.wanted = true
      start()
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async works() {
      while (!state.working) await wait(20)
    },
    async dieAt(point, nth, withinMs) {
      const { child } = state
      if (child === null) return false
      state.armed = true
      child.send({ point, nth } satisfies Arm)
      const died = await Promise.race([once(child, 'exit').then(() => true), wait(withinMs, false, { ref: false })])
      if (!died && child.connected) child.send({ point: null, nth: 0 } satisfies Arm)
      state.armed = false
      return died
    },
    async close() {
      const { child } = state
      kill()
      if (child !== null && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

function launch(
  name: string,
  command: string,
  args: readonly string[],
  { guard, logs }: Watched,
  isScript: boolean,
): ChildProcess {
  const log = openSync(join(logs, `${name}.log`), 'a')
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: isScript ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
    })
    guard.watch(child, 'SIGKILL')
    return child
  } finally {
    closeSync(log)
  }
}
