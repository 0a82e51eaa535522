import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

interface Wanted<Name extends string> {
  /** What main.ts is to be. */
  readonly role: 'systems' | 'worker'
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The addresses that the role prints, each with the flag that sets its port. */
  readonly ports: Readonly<Record<Name, string>>
  /** Gets what the process prints, line by line. */
  readonly log: (line: string) => void
  /** Gets what a person should know. */
  readonly say: (line: string) => void
}

/** A process of the sample; one that ends by itself is started again at the same addresses. */
export interface KeptProcess<Name extends string> {
  readonly addresses: Readonly<Record<Name, string>>
  /** Of the process that runs now. */
  pid(): number | undefined
  /** Ends it for good and waits for it. Twice is harmless. */
  stop(): Promise<void>
}

const graceMs = 3_000
const [restartMinMs, restartMaxMs] = [250, 8_000]
/** One that ran for so long was in order: the next restart is quick again. */
const settledMs = 10_000

/** Starts the process; throws when it doesn't start the first time. */
export async function keepProcess<Name extends string>(wanted: Wanted<Name>): Promise<KeptProcess<Name>> {
  const { role, say } = wanted
  const names = Object.keys(wanted.ports) as Name[]
  const stopping = new AbortController()
  const { signal } = stopping
  let child = start(wanted)
  const addresses = await readyOrEnded(child, role, names)
  const samePorts = names.flatMap((name) => [wanted.ports[name], new URL(addresses[name]).port])
  async function supervise(): Promise<void> {
    let [restartMs, startedAtMs] = [restartMinMs, performance.now()]
    for (;;) {
      await exitOf(child)
      if (signal.aborted) return
      say(`the sample's ${role} has ended (${child.signalCode ?? `exit code ${child.exitCode}`}); starting it again`)
      if (performance.now() - startedAtMs > settledMs) restartMs = restartMinMs
      const isDue = await delay(restartMs, true, { signal }).catch(() => false)
      if (!isDue) return
      restartMs = Math.min(restartMs * 2, restartMaxMs)
      startedAtMs = performance.now()
      child = start(wanted, samePorts)
      // One that doesn't start has ended, and is said to have: the loop tries again.
      await readyOrEnded(child, role, names).catch(() => null)
    }
  }
  const supervision = supervise()
  return {
    addresses,
    pid: () => child.pid,
    async stop() {
      stopping.abort()
      await end(child)
      await supervision
    },
  }
}

/** Starts main.ts as it lies here: the source itself in a checkout, compiled in a package. */
function start({ role, args = [], env, log }: Wanted<string>, ports: readonly string[] = []): ChildProcess {
  const isSource = import.meta.url.endsWith('.ts')
  const loaders = isSource ? ['--import', import.meta.resolve('tsx'), '--conditions=source'] : []
  const main = fileURLToPath(new URL(isSource ? 'main.ts' : 'main.js', import.meta.url))
  const child = spawn(process.execPath, [...loaders, main, role, ...args, ...ports, '--leash'], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.on('error', (error) => log(`cities ${role}: ${error.message}`))
  createInterface({ input: child.stderr }).on('line', (line) => log(`cities ${role}: ${line}`))
  // Writing nothing, but a pipe to a process that has ended may still report an error.
  child.stdin.on('error', () => {})
  return child
}

async function readyOrEnded<Name extends string>(child: ChildProcess, role: string, names: readonly Name[]) {
  try {
    return await ready(child, role, names)
  } catch (error) {
    await end(child)
    throw error
  }
}

/** The addresses in the first line that the child prints; throws when it ends without one. */
async function ready<Name extends string>(child: ChildProcess, role: string, names: readonly Name[]) {
  const output = child.stdout
  if (output === null) throw new Error(`the sample's ${role} has no output`)
  const lines = createInterface({ input: output })
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close').then(() => [''])])) as [string]
  if (line === '') throw new Error(`the sample's ${role} did not start: see its messages in the log`)
  output.resume()
  const addresses = JSON.parse(line) as Record<string, string>
  return Object.fromEntries(names.map((name) => [name, addresses[name] ?? ''])) as Record<Name, string>
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.stdin?.end()
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await ended
  clearTimeout(timer)
}

async function exitOf(child: ChildProcess): Promise<void> {
  if (!hasEnded(child)) await once(child, 'exit')
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}
