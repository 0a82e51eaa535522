import { onTestFinished, vi } from 'vitest'
import { listen } from '../../runtime/commands/listen.ts'
import { runCommand } from '../../runtime/commands/program/run.ts'
import { adminToken, openApi } from '../api/open.ts'
import type { TestApi } from '../api/open.ts'
import type { Ended } from './sluice.ts'

/** A control that serves, and the command line that talks to it from inside of this process: a new one takes a second. */
export async function openCli(given?: TestApi): Promise<{
  t: TestApi
  url: string
  run(...args: string[]): Promise<Ended>
}> {
  const t = given ?? (await openApi())
  const listening = await listen({ port: 0, host: '127.0.0.1', chosenBy: 'the test' })
  onTestFinished(() => listening.close())
  listening.serve((request, env) => t.api.fetch(request, env))
  const where = ['--url', listening.url, '--token', adminToken]
  return { t, url: listening.url, run: (...args) => inside([...args, ...where]) }
}

/** Runs a command to its end. */
export async function inside(args: readonly string[]): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  const hear = (stream: keyof typeof said) => (text: unknown) => {
    said[stream] += String(text)
    return true
  }
  const line = (stream: keyof typeof said) => (text: unknown) => void hear(stream)(`${String(text)}\n`)
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(line('stdout')),
    vi.spyOn(console, 'error').mockImplementation(line('stderr')),
    vi.spyOn(process.stdout, 'write').mockImplementation(hear('stdout')),
    vi.spyOn(process.stderr, 'write').mockImplementation(hear('stderr')),
  ]
  try {
    return { code: await runCommand(args), ...said }
  } finally {
    for (const spy of spies) spy.mockRestore()
    process.exitCode = undefined
  }
}
