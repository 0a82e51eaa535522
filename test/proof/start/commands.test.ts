import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { sluice, startDev, temporaryFolder } from '../../cli/sluice.ts'
import type { Dev, Ended } from '../../cli/sluice.ts'
import { freshDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { newId } from '../../../runtime/ids.ts'

/** One engine for all tests, on services that run already; its worker refuses what is negative. */
const { folder, remove } = temporaryFolder()
let dev: Dev

const workerText = `
export default {
  async fetch(request) {
    if (new URL(request.url).pathname === '/.well-known/sluice-worker')
      return Response.json({ protocol: 1, worker: 'maths', nodes: [{ name: 'root', type: 'custom' }] })
    const number = await request.json()
    console.log('asked for ' + number)
    const headers = { 'content-type': 'application/problem+json' }
    if (number < 0) return Response.json({ title: 'Negative', detail: 'It is ' + number }, { status: 422, headers })
    return Response.json(Math.sqrt(number))
  },
}
`
const topology = (prefetch: number) => `name: roots
nodes:
  - { name: start, type: start }
  - { name: root, type: custom, worker: maths, prefetch: ${prefetch} }
edges:
  - { from: start, to: root }
`
const topologyFile = join(folder, 'roots.yaml')

beforeAll(async () => {
  writeFileSync(join(folder, 'maths.mjs'), workerText)
  writeFileSync(topologyFile, topology(1))
  const env = {
    SLUICE_NATS_URL: inject('natsUrl'),
    SLUICE_POSTGRES_URL: await freshDatabase(),
    SLUICE_NAMESPACE: `test-${newId()}`,
  }
  const files = ['--worker', join(folder, 'maths.mjs'), '--apply', topologyFile]
  dev = await startDev(['--data', join(folder, 'data'), '--no-sample', ...files], { env })
}, 60_000)

afterAll(async () => {
  await dev.stop()
  remove()
})

function run(...args: string[]): Promise<Ended> {
  return sluice(args, { env: { SLUICE_DATA: join(folder, 'data') } })
}

async function rows(...args: string[]): Promise<Record<string, unknown>[]> {
  return JSON.parse((await run(...args, '-o', 'json')).stdout) as Record<string, unknown>[]
}

test('a worker file is registered under the name in its manifest, and its topology is published', async () => {
  expect(dev.lines.join('\n')).toMatch(/worker +maths at http:\/\/127\.0\.0\.1:\d+/)
  expect(await rows('get', 'workers')).toMatchObject([{ name: 'maths' }])
  expect(await rows('get', 'topologies')).toMatchObject([{ name: 'roots', visibility: 'public', revision: 1 }])
})

test('a run that is followed says how it went, and what the worker prints shows up at the engine', async () => {
  const { code, stdout } = await run('run', 'roots', '--data', '16', '--follow')
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('finished: 1 of 1 done, 0 failed, 0 in progress')
  expect(code).toBe(0)
  await eventually('the worker is heard', () => dev.lines.includes('asked for 16'))
})

test('what fails lies in Trash, and is mended, replayed and then done', async () => {
  const failed = await run('run', 'roots', '--data', '-4', '--follow')
  expect(failed.code).toBe(1)
  const id = failed.stdout.split('\n')[0] ?? ''
  const [item] = await rows('trash', 'list', '--run', id)
  expect(item).toMatchObject({ node: 'root', error: { title: 'Negative', detail: 'It is -4' } })
  const shown = await run('trash', 'show', String(item?.['id']))
  expect(shown.stdout).toMatch(/422 Negative: It is -4/)
  const noTerminal = await run('trash', 'edit', String(item?.['id']))
  expect(noTerminal).toMatchObject({ code: 2, stderr: expect.stringMatching(/no terminal .* --body/) as string })
  const edited = await run('trash', 'edit', String(item?.['id']), '--body', '4', '--reason', 'typed wrong', '--replay')
  expect(edited.code).toBe(0)
  expect((await run('trash', 'show', String(item?.['id']))).stdout).toMatch(/^version 1 by .* \(typed wrong\):$/m)
  const finished = async () =>
    (await rows('get', 'runs')).some((row) => row['id'] === id && row['state'] === 'finished')
  await eventually('the run is finished', finished, { timeoutMs: 20_000 })
}, 60_000)

test('what a filter leaves is discarded at once', async () => {
  const id = (await run('run', 'roots', '--data', '-9', '--follow')).stdout.split('\n')[0] ?? ''
  const { stdout, code } = await run('trash', 'discard', '--all', '--run', id, '--reason', 'of no use')
  expect(stdout).toMatch(/ discard/)
  expect(code).toBe(0)
  await eventually('it is no longer open', async () => (await rows('trash', 'list', '--run', id)).length === 0)
}, 60_000)

test('apply shows a difference without making it, makes it once, and then has nothing to do', async () => {
  writeFileSync(topologyFile, topology(5))
  const preview = await run('apply', '-f', topologyFile, '--dry-run')
  expect(preview.stdout).toBe('roots: would be changed\n  ~ node root\n  ~   prefetch: 1 → 5\n')
  expect((await run('apply', '-f', topologyFile)).stdout).toBe('roots: changed\n')
  expect((await run('apply', '-f', topologyFile)).stdout).toBe('roots: unchanged\n')
  const piped = await sluice(['apply', '-f', '-', '--publish'], {
    env: { SLUICE_DATA: join(folder, 'data') },
    input: readFileSync(topologyFile, 'utf8'),
  })
  expect(piped.stdout).toMatch(/^roots: unchanged, published as revision 2/)
}, 60_000)

test('a dry run refuses with exit code 2 what the engine would refuse, with every fault', async () => {
  const file = join(folder, 'wrong.yaml')
  writeFileSync(file, topology(1).replaceAll('maths', 'moths').replace('to: root', 'to: rot').replace('roots', 'wrong'))
  const plain = await run('apply', '-f', file, '--dry-run')
  expect(plain).toMatchObject({ code: 0, stdout: expect.stringMatching(/^wrong: would be created\n/) as string })
  const checked = await run('apply', '-f', file, '--dry-run', '--publish')
  expect(checked.code).toBe(2)
  expect(checked.stderr).toMatch(/there is no worker "moths" \(did you mean "maths"\?\)/)
  expect(checked.stderr).toMatch(/edges\[0\]\.to: .*rot/)
  const published = await run('apply', '-f', file, '--publish')
  expect(published).toMatchObject({ code: 2, stderr: checked.stderr })
  expect((await rows('get', 'topologies')).map(({ name }) => name)).toEqual(['roots'])
  writeFileSync(
    file,
    topology(1)
      .replace(/^( +- \{ name: root.*\n)/m, '$1$1')
      .replace('roots', 'twice'),
  )
  const twice = await run('apply', '-f', file, '--dry-run')
  expect(twice.stderr).toMatch(/nodes\[2\]\.name: .* names are unique/)
  expect(twice.code).toBe(2)
}, 60_000)

test('a node is paused and resumed by its name, and a name that is nearly right gets a suggestion', async () => {
  expect((await run('pause', 'roots/root')).code).toBe(0)
  expect(await rows('get', 'nodes', 'roots')).toMatchObject([{ name: 'start' }, { name: 'root', paused: true }])
  await run('pause', 'roots')
  expect((await run('resume', 'roots/root')).stdout).toBe(
    'roots/root is not paused by itself, but the topology is paused by admin\n',
  )
  expect((await run('resume', 'roots')).stdout).toBe('roots is resumed\n')
  expect(await rows('get', 'nodes', 'roots')).toMatchObject([{ paused: false }, { paused: false, pausedReason: null }])
  const wrong = await run('pause', 'roots/rot')
  expect(wrong.stderr).toBe('the topology "roots" has no node "rot" (did you mean "root"?)\n')
}, 60_000)

test('tokens are made, listed and deleted, work with --url, and who made what is logged; a wrong one is refused in one line', async () => {
  const token = (await run('token', 'create', 'reader', '--scope', 'read')).stdout.trim()
  const asked = ['get', 'topologies', '--url', dev.url, '--token']
  expect((await sluice([...asked, token])).stdout).toMatch(/^roots /m)
  const { code, stderr } = await sluice([...asked, 'wrong'])
  expect(stderr).toBe(`${dev.url} refuses the token: give the right one with --token (SLUICE_TOKEN)\n`)
  expect(code).toBe(1)
  const made = await run('token', 'create', 'ci', '--scope', 'read,run', '--expires', '1d', '-o', 'json')
  const { id, scopes } = JSON.parse(made.stdout) as { id: string; scopes: string[] }
  expect(scopes).toEqual(['read', 'run'])
  expect((await run('token', 'list')).stdout).toMatch(new RegExp(`^${id} +ci +read, run +- +20`, 'm'))
  expect((await run('token', 'delete', id)).stdout).toBe(`token ${id} is deleted\n`)
  expect(await rows('get', 'audit', '--action', 'deleteToken')).toMatchObject([{ target: { id, name: 'ci' } }])
  expect((await run('get', 'audit', 'roots', '--who', 'admin')).stdout).toMatch(/changeTopology +topology roots/)
}, 60_000)

test('doctor finds nothing wrong with an engine that runs', async () => {
  const { code, stdout } = await run('doctor')
  expect(stdout).not.toMatch(/^wrong/m)
  expect(stdout).toMatch(/^ok +engine/m)
  expect(code).toBe(0)
})

test('doctor names a worker of which no instance is up', async () => {
  const away = 'http://127.0.0.1:1'
  await run('worker', 'add', 'away', away)
  writeFileSync(join(folder, 'away.yaml'), topology(1).replace('maths', 'away').replace('name: roots', 'name: far'))
  expect((await run('apply', '-f', join(folder, 'away.yaml'), '--publish')).code).toBe(0)
  await run('run', 'far', '--data', '1')
  const isNamed = async () => {
    const { code, stdout } = await run('doctor')
    return (
      code === 1 &&
      /^wrong +workers +away is down at http:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\): start it/m.test(stdout)
    )
  }
  await eventually('doctor names it', isNamed, { timeoutMs: 30_000 })
}, 60_000)
