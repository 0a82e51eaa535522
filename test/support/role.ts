import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { inject } from 'vitest'
import { secretKey } from './engine.ts'

/** A part of an engine in a process of its own, by the command that production uses. */
export interface Role {
  readonly pid: number
  /** Resolves with the exit code when it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
  close(): Promise<void>
}

/** @param variables beside those that every role needs; what it says of errors goes to stderr */
export function spawnRole(
  role: 'bridge' | 'control',
  namespace: string,
  variables: Readonly<Record<string, string>> = {},
): Role {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=source', 'runtime/main.ts', role], {
    env: {
      ...process.env,
      SLUICE_NATS_URL: inject('natsUrl'),
      SLUICE_NAMESPACE: namespace,
      SLUICE_SECRET_KEY: secretKey,
      SLUICE_LOG_LEVEL: 'error',
      ...variables,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const close = async (): Promise<void> => void (await end(child, 'SIGKILL'))
  return { pid: child.pid ?? 0, end: (signal) => end(child, signal), close }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    await once(child, 'exit')
  }
  return child.exitCode
}
