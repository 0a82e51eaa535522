import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { processesOf } from '../support/leaks.ts'

interface Result {
  readonly source: number
  readonly stored: number
  readonly trash: number
  readonly duplicates: number
  readonly seconds: number
  readonly recordsPerSecond: number
  readonly rssMaxMb: number
  readonly failedCallsAbsorbed: number
}

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** `npm start -- --once` as a user runs it, in a data folder of its own. Resolves with its result and its exit code. */
async function run(
  args: readonly string[],
  onLine: (line: string, folder: string) => void = () => undefined,
): Promise<{ result: Result; code: number | null }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-proof-'))
  // As root, Postgres runs as another user, who has to get in.
  chmodSync(folder, 0o711)
  folders.push(folder)
  const child = spawn(process.execPath, ['bin/start.mjs', '--once', '--port', '0', '--data', folder, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      lines.push(line)
      onLine(line, folder)
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  const result = lines.findLast((line) => line.startsWith('{'))
  if (result === undefined) throw new Error(`it ended with code ${code} and no result:\n${lines.slice(-40).join('\n')}`)
  return { result: JSON.parse(result) as Result, code }
}

test(
  'all 135 233 places are stored or in Trash, none twice, in bounded memory',
  async () => {
    const { result, code } = await run([])
    console.log(JSON.stringify(result))
    expect(result).toMatchObject({ source: 135_233, stored: 135_194, trash: 39, duplicates: 0 })
    expect(result.failedCallsAbsorbed).toBeGreaterThan(10)
    expect(result.rssMaxMb).toBeLessThanOrEqual(350)
    expect(code).toBe(0)
  },
  15 * 60_000,
)

test(
  'nothing is lost or doubled while NATS and Postgres are killed under load, again and again',
  async () => {
    const targets = ['nats-server', 'bin/postgres', 'nats-server', 'bin/postgres', 'nats-server']
    let killed = 0
    const { result, code } = await run(['--places', '12000'], (line, folder) => {
      const stored = Number(/stored ([\d ]+),/.exec(line)?.[1]?.replaceAll(' ', '') ?? 0)
      const target = targets[killed]
      if (target === undefined || stored < 1_000 * (killed + 1)) return
      killed++
      for (const pid of pidsOf(folder, target)) process.kill(pid, 'SIGKILL')
    })
    expect(killed).toBe(targets.length)
    expect(result).toMatchObject({ source: 12_000, duplicates: 0 })
    expect(result.stored + result.trash).toBe(12_000)
    expect(code).toBe(0)
  },
  10 * 60_000,
)

function pidsOf(folder: string, program: string): number[] {
  return processesOf(folder)
    .filter((line) => line.includes(program))
    .map((line) => Number.parseInt(line, 10))
}
