import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, test } from 'vitest'
import { isAlive } from '../../runtime/embedded/process.ts'
import { sluice, spawnSluice, startDev, temporaryFolder } from '../cli/sluice.ts'
import { eventually } from '../support/eventually.ts'
import { processesOf } from '../support/leaks.ts'

/** Everything embedded, in one data folder over all tests of this file, as a user has it. */
const { folder, remove } = temporaryFolder()
// As root, Postgres runs as another user, who has to get in.
chmodSync(folder, 0o711)
afterAll(remove)

const slice = ['--data', folder, '--port', '0', '--places', '600']

/** Pids of what that process has started: the guard, nats-server, Postgres, the sample's two. */
function childrenOf(pid: number | undefined, called = /^(?!ps )/): number[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n')
  const rows = lines.map((line) => /^ *(\d+) +(\d+) (.*)$/.exec(line))
  return rows.filter((row) => Number(row?.[2]) === pid && called.test(row?.[3] ?? '')).map((row) => Number(row?.[1]))
}

/** Waits until nothing names the folder any more, and none of these processes is left. */
function gone(pids: readonly number[] = []): Promise<unknown> {
  const nothing = () => processesOf(folder).length === 0 && !pids.some(isAlive)
  return eventually('nothing of the engine is left', nothing, { timeoutMs: 20_000 })
}

describe('npm start -- --once', () => {
  test('ends with one line of JSON in which every record is counted once', async () => {
    const { code, stdout, stderr } = await sluice(['dev', ...slice, '--once'])
    expect(stderr).toBe('')
    const lines = stdout.trimEnd().split('\n')
    const result = JSON.parse(lines.at(-1) ?? '') as Record<string, number>
    expect(Object.keys(result)).toEqual([
      ...['run', 'source', 'stored', 'trash', 'duplicates', 'seconds'],
      ...['recordsPerSecond', 'rssMaxMb', 'failedCallsAbsorbed'],
    ])
    expect(result).toMatchObject({ source: 600, stored: 599, trash: 1, duplicates: 0 })
    expect(result.rssMaxMb).toBeGreaterThan(50)
    expect(stdout).toContain('1 of 600 need attention')
    expect(stdout).toContain(`trash list --run ${result.run}`)
    expect(code).toBe(0)
    await gone()
  }, 90_000)

  test('on the same data folder it is ready soon, makes a run of its own, and the rows are the same again', async () => {
    const { code, stdout } = await sluice(['dev', ...slice, '--once'])
    const seconds = Number(/ready after ([\d.]+) s/.exec(stdout)?.[1])
    expect(seconds).toBeLessThan(30)
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ stored: 599, duplicates: 0 })
    expect(code).toBe(0)
  }, 60_000)

  test('a worker of the sample that is killed is started again, and every record is still counted once', async () => {
    const child = spawnSluice(['dev', '--data', folder, '--port', '0', '--places', '3000', '--once'])
    const lines: string[] = []
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface({ input: stream }).on('line', (line) => lines.push(line))
    const ended = once(child, 'close')
    const begun = () => {
      if (child.exitCode !== null) throw new Error(lines.join('\n'))
      return lines.some((line) => line.startsWith('read '))
    }
    await eventually('the run has begun', begun, { timeoutMs: 40_000 })
    const [worker] = childrenOf(child.pid, / worker /)
    process.kill(worker ?? NaN, 'SIGKILL')
    expect(await ended).toEqual([0, null])
    expect(lines).toContain("the sample's worker has ended (SIGKILL); starting it again")
    const result = JSON.parse(lines.at(-1) ?? '') as Record<string, number>
    expect(result).toMatchObject({ source: 3000, duplicates: 0 })
    expect(Number(result['stored']) + Number(result['trash'])).toBe(3000)
  }, 90_000)

  test('a run that a SIGKILL of the engine interrupted is finished by the next start, whatever size that asks for', async () => {
    const child = spawnSluice(['dev', ...slice])
    const line = await firstLine(child, /^read /)
    expect(line).toMatch(/of 600/)
    const children = childrenOf(child.pid)
    expect(children).toHaveLength(5)
    child.kill('SIGKILL')
    await gone(children)
    const { code, stdout } = await sluice(['dev', '--data', folder, '--port', '0', '--places', '10', '--once'])
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ source: 600, stored: 599, trash: 1 })
    expect(stdout).toContain('An interrupted run is finished first')
    expect(code).toBe(0)
  }, 90_000)
})

describe('npm start', () => {
  test('serves until SIGTERM, and leaves no process behind', async () => {
    const dev = await startDev(['--data', folder, '--places', '20'])
    expect((await fetch(`${dev.url}/readyz`)).status).toBe(200)
    const children = childrenOf(dev.child.pid)
    expect(children).toHaveLength(5)
    expect(await dev.stop()).toBe(0)
    await gone(children)
  }, 60_000)

  test('a second one on the same folder is refused and told of the first', async () => {
    const dev = await startDev(['--data', folder, '--no-sample'])
    const { code, stderr } = await sluice(['dev', '--data', folder, '--port', '0', '--no-sample'])
    expect(stderr).toBe(
      `${folder} is used by another engine (pid ${dev.child.pid}, ${dev.url}): stop it, or choose another folder with --data (SLUICE_DATA)\n`,
    )
    expect(code).toBe(1)
    expect(await dev.stop()).toBe(0)
  }, 60_000)
})

async function firstLine(child: ReturnType<typeof spawnSluice>, pattern: RegExp): Promise<string> {
  if (child.stdout === null) throw new Error('no output')
  const lines = createInterface({ input: child.stdout })
  for (;;) {
    const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close').then(() => [null])])) as [
      string | null,
    ]
    if (line === null) throw new Error(`it ended before it said ${pattern.source}`)
    if (pattern.test(line)) return line
  }
}
