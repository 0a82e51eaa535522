import { execFileSync } from 'node:child_process'
import { isAlive } from '../../runtime/embedded/process.ts'
import { eventually } from '../support/eventually.ts'
import { processesOf } from '../support/leaks.ts'

/** Pids of what that process has started: the guard, nats-server, Postgres, the sample's two; not what compiles the sources for it. */
export function childrenOf(pid: number | undefined, called = /^(?!ps |\S*esbuild )/): number[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n')
  const rows = lines.map((line) => /^ *(\d+) +(\d+) (.*)$/.exec(line))
  return rows.filter((row) => Number(row?.[2]) === pid && called.test(row?.[3] ?? '')).map((row) => Number(row?.[1]))
}

/** Waits until nothing names the folder any more, and none of these processes is left. */
export function gone(folder: string, pids: readonly number[] = []): Promise<unknown> {
  const nothing = () => processesOf(folder).length === 0 && !pids.some(isAlive)
  return eventually('nothing of the engine is left', nothing, { timeoutMs: 20_000 })
}
