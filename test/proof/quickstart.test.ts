import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { afterEach, expect, test } from 'vitest'
import { sluice, spawnSluice, temporaryFolder } from '../cli/sluice.ts'
import { childrenOf, gone } from '../quickstart/processes.ts'
import { eventually } from '../support/eventually.ts'

/** Everything embedded, in one data folder, as a user has it. */
function dataFolder(): string {
  const { folder, remove } = temporaryFolder()
  // As root, Postgres runs as another user, who has to get in.
  chmodSync(folder, 0o711)
  removing.push(remove)
  return folder
}
const removing: (() => void)[] = []
afterEach(() => {
  for (const remove of removing.splice(0)) remove()
})

test('a worker of the sample that is killed is started again, and every record is still counted once', async () => {
  const folder = dataFolder()
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
  const folder = dataFolder()
  const child = spawnSluice(['dev', '--data', folder, '--port', '0', '--places', '600'])
  const line = await firstLine(child, /^read /)
  expect(line).toMatch(/of 600/)
  const children = childrenOf(child.pid)
  expect(children).toHaveLength(5)
  child.kill('SIGKILL')
  await gone(folder, children)
  const { code, stdout } = await sluice(['dev', '--data', folder, '--port', '0', '--places', '10', '--once'])
  expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ source: 600, stored: 599, trash: 1 })
  expect(stdout).toContain('An interrupted run is finished first')
  expect(code).toBe(0)
}, 90_000)

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
