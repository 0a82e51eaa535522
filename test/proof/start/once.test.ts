import { chmodSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { childrenOf, gone } from '../../quickstart/processes.ts'
import { sluice, startDev, temporaryFolder } from '../../cli/sluice.ts'

/** Everything embedded, in one data folder over all tests of this file, as a user has it. */
const { folder, remove } = temporaryFolder()
// As root, Postgres runs as another user, who has to get in.
chmodSync(folder, 0o711)
afterAll(remove)

const slice = ['--data', folder, '--port', '0', '--places', '600']

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
    await gone(folder)
  }, 90_000)

  test('on the same data folder it is ready soon, makes a run of its own, and the rows are the same again', async () => {
    const { code, stdout } = await sluice(['dev', ...slice, '--once'])
    const seconds = Number(/ready after ([\d.]+) s/.exec(stdout)?.[1])
    expect(seconds).toBeLessThan(30)
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ stored: 599, duplicates: 0 })
    expect(code).toBe(0)
  }, 60_000)
})

describe('npm start', () => {
  test('serves until SIGTERM, and leaves no process behind', async () => {
    const dev = await startDev(['--data', folder, '--places', '20'])
    expect((await fetch(`${dev.url}/readyz`)).status).toBe(200)
    const children = childrenOf(dev.child.pid)
    expect(children).toHaveLength(5)
    expect(await dev.stop()).toBe(0)
    await gone(folder, children)
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
