import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

/**
 * Sees to it that programs end with this process, even when it is SIGKILLed: a process of its own (guard.mjs) holds a
 * pipe from here and ends them when that breaks.
 */
export interface Guard {
  /** To be called in the same tick as the spawn. The program is forgotten when it has exited. */
  watch(child: ChildProcess, endsBy: NodeJS.Signals): void
  /** Lets the guard go; ends what is still watched. Resolves when its process has ended. */
  close(): Promise<void>
}

/** `label` shows in the process list, so that a person sees whose guard it is. */
export function startGuard(label: string, log: (line: string) => void): Guard {
  const script = fileURLToPath(new URL('guard.mjs', import.meta.url))
  // Detached: in a process group of its own, that a ^C in the terminal doesn't reach.
  const guard = spawn(process.execPath, [script, label], {
    detached: true,
    cwd: tmpdir(),
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  let closing = false
  const ended = new Promise<void>((resolve) => {
    guard.once('error', () => resolve())
    guard.once('exit', () => resolve())
  })
  void ended.then(() => {
    if (!closing)
      log('the guard of the embedded services is gone: they would outlive a crash; restart to have it again')
  })
  // A broken pipe is reported by the exit above.
  guard.stdin.on('error', () => {})
  const tell = (line: string) => guard.stdin.writable && guard.stdin.write(`${line}\n`)
  guard.unref()
  return {
    watch(child, endsBy) {
      const { pid } = child
      if (pid === undefined) return
      tell(`+ ${pid} ${endsBy}`)
      child.once('exit', () => tell(`- ${pid}`))
    },
    async close() {
      closing = true
      guard.ref()
      guard.stdin.end()
      await ended
    },
  }
}
