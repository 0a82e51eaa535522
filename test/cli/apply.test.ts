import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { readSources } from '../../runtime/commands/client/files/documents.ts'
import { yamlOf } from '../../runtime/topology/yaml.ts'
import { parseDocument } from '../../runtime/topology/document.ts'
import { beat, chain, nodeOf } from '../api/open.ts'
import { documents } from '../topology/files/arbitrary.ts'
import { openCli } from './inside.ts'
import { temporaryFolder } from './sluice.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

function file(name: string, ...texts: (string | object)[]): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, texts.map((text) => (typeof text === 'string' ? text : yamlOf(text))).join('---\n'))
  return path
}

const worker = { name: 'w', urls: ['http://127.0.0.1:1'] }

test('what is applied again is unchanged and makes no revision', async () => {
  const { t, run } = await openCli()
  await t.post('/api/workers', worker)
  const path = file('two.yaml', chain('one', { a: { prefetch: 3 } }), chain('two'))
  expect((await run('apply', '-f', path, '--publish')).stdout).toBe(
    'one: created, published as revision 1\ntwo: created, published as revision 1\n',
  )
  expect((await run('apply', '-f', path, '--publish')).stdout).toBe(
    'one: unchanged, revision 1 is published already\ntwo: unchanged, revision 1 is published already\n',
  )
  expect((await run('apply', '-f', path, '--dry-run')).stdout).toBe('one: unchanged\ntwo: unchanged\n')
})

test('a value that was set at a node and that the file leaves out is no difference, and a dry run says that it stays', async () => {
  const { t, run } = await openCli()
  await t.post('/api/topologies', chain('one'))
  const { id } = await nodeOf(t, 'one', 'a')
  await t.send('PATCH', `/api/nodes/${id}`, { json: { prefetch: 7 } })
  const path = file('set.yaml', chain('one'))
  expect(await run('apply', '-f', path, '--dry-run')).toMatchObject({
    code: 0,
    stdout: 'one: unchanged\n    node a keeps prefetch 7, which the document leaves out\n',
  })
  expect((await run('apply', '-f', path)).stdout).toBe('one: unchanged\n')
})

test('a document that was got is applied without a change, in YAML and in JSON, one and all', async () => {
  const { t, run } = await openCli()
  await t.post('/api/topologies', {
    ...chain('one', { a: { settings: { yes: 'no', n: '1' }, retry: { maxAgeMs: null } } }),
    labels: { on: 'off' },
  })
  await t.post('/api/topologies', chain('two'))
  for (const format of ['yaml', 'json']) {
    const all = await run('get', 'topologies', '--documents', '-o', format)
    expect((await run('apply', '-f', file(`all.${format}`, all.stdout))).stdout).toBe(
      'one: unchanged\ntwo: unchanged\n',
    )
    const one = await run('get', 'topology', 'one', '-o', format)
    expect((await run('apply', '-f', file(`one.${format}`, one.stdout))).stdout).toBe('one: unchanged\n')
  }
})

test('whatever a document says, its YAML says the same', () => {
  fc.assert(
    fc.property(documents, (document) => {
      expect(parseDocument(yamlOf(document), 'x')).toEqual({ document, faults: [] })
    }),
  )
})

test('every fault of every file is told at once with file, line and path, and nothing is changed', async () => {
  const { t, run } = await openCli()
  await t.post('/api/workers', worker)
  file('many/a.yaml', 'name: a\nnodes:\n  - { name: start, type: start }\n  - { name: x, type: custom, worker: v }\n')
  file('many/deep/b.yml', 'name: b\nnodes:\n  - { name: start, type: start, prefech: 2 }\n')
  file('many/c.json', '[{"name": "fine", "nodes": []},\n {"name": "a", "nodes": []}]')
  file('many/d.txt', 'not read')
  const { code, stderr } = await run('apply', '-f', join(folder, 'many'), '--publish')
  expect(code).toBe(2)
  expect(stderr).toMatch(/^the topology documents are wrong; nothing was changed$/m)
  expect(stderr).toMatch(/^ {2}nodes\[0\]\.prefech: .*deep\/b\.yml:3: unknown key .* "prefetch"/m)
  expect(stderr).toMatch(/^ {2}nodes\[1\]\.worker: .*a\.yaml:4: there is no worker "v"; register it/m)
  expect(stderr).toMatch(/^ {2}name: .*c\.json:2, document 2 \(a\): the topology "a" stands in .*a\.yaml:1 already/m)
  expect((await t.get('/api/topologies')).body.items).toEqual([])
})

test('a dry run tells the faults for which the save refuses a draft', async () => {
  const { t, run } = await openCli()
  const node = { name: 'often', type: 'cron', cron: '61 * * * *', timezone: 'Mars/X' }
  const path = file('often.yaml', { name: 'often', nodes: [node], edges: [] })
  const [dry, applied] = [await run('apply', '-f', path, '--dry-run'), await run('apply', '-f', path)]
  expect(dry).toEqual({ code: 2, stdout: '', stderr: applied.stderr })
  expect(dry.stderr).toMatch(/^ {2}nodes\[0\]\.cron: .*often\.yaml:\d+: the minute is "61"/m)
  expect(dry.stderr).toMatch(/^ {2}nodes\[0\]\.timezone: .*"Mars\/X" is not a time zone/m)
  const saved = await t.post('/api/topologies', { name: 'often', nodes: [node], edges: [] })
  expect(saved.body.errors.map(({ path }) => path)).toEqual(['nodes[0].cron', 'nodes[0].timezone'])
})

test('a dry run of a publish tells what only the engine knows: stored values that contradict, and nodes that go while messages lie there', async () => {
  const { t, run } = await openCli()
  await t.post('/api/workers', worker)
  await run('apply', '-f', file('dry.yaml', chain('dry')), '--publish')
  await t.post('/api/topologies/dry/run', { body: 1 })
  const { id } = await nodeOf(t, 'dry', 'a')
  await t.send('PATCH', `/api/nodes/${id}`, { json: { prefetch: 9 } })
  const lanes = await run(
    'apply',
    '-f',
    file('dry.yaml', chain('dry', { a: { partitions: 4 } })),
    '--dry-run',
    '--publish',
  )
  expect(lanes.code).toBe(2)
  expect(lanes.stderr).toMatch(/^ {2}nodes\[1\]\.prefetch: .*dry\.yaml:\d+: /m)
  const renamed = { ...chain('dry'), nodes: [...chain('dry').nodes.slice(1), { name: 'begin', type: 'start' }] }
  const path = file('dry.yaml', {
    ...renamed,
    edges: [
      { from: 'begin', to: 'a' },
      { from: 'a', to: 'b' },
    ],
  })
  for (const [how, says] of [
    ['refuse', 'the publish would be refused: see --in-flight'],
    ['drain', 'it leaves when they are done'],
    ['trash', 'they go into Trash'],
  ] as const) {
    const { code, stdout } = await run('apply', '-f', path, '--dry-run', '--publish', '--in-flight', how)
    expect(code).toBe(0)
    expect(stdout).toContain(
      `    node start goes while messages are on their way (1 wait there, 0 in flight): ${says}\n`,
    )
  }
  expect((await t.get('/api/topologies/dry')).body).toMatchObject({ revision: 1 })
  const made = await run('apply', '-f', file('dry.yaml', chain('new')), '--dry-run', '--publish')
  expect(made.stdout).toMatch(/^new: would be created/)
})

test('of a list of documents each fault has its line', () => {
  const { found, faults } = readSources([
    file('list.json', '[{"name": "one", "nodes": []},\n{"name": "two",\n"nodes": [{"name": "A", "type": "start"}]}]'),
  ])
  expect(found.map(({ document }) => document.name)).toEqual(['one'])
  expect(faults).toMatchObject([
    { path: 'nodes[0].name', message: expect.stringMatching(/list\.json:3, document 2 \(two\): /) as string },
  ])
})

test('prune deletes what is of the set and in no file any more, and nothing else', async () => {
  const { t, run } = await openCli()
  await t.post('/api/workers', worker)
  await t.post('/api/topologies', chain('by-hand'))
  await t.post('/api/topologies', { ...chain('others'), labels: { 'sluice/set': 'other' } })
  const path = file('shop.yaml', chain('one'), chain('two'))
  await run('apply', '-f', path, '--set', 'shop', '--publish')
  file('shop.yaml', chain('one'))
  const preview = await run('apply', '-f', path, '--set', 'shop', '--prune', '--dry-run')
  expect(preview.stdout).toBe('one: unchanged\ntwo: would be pruned, if it is empty\n')
  expect((await run('apply', '-f', path, '--set', 'shop', '--prune')).stdout).toBe('one: unchanged\ntwo: pruned\n')
  const left = (await t.get('/api/topologies')).body.items.map(({ name }) => name)
  expect(left).toEqual(['by-hand', 'one', 'others'])
})

test('prune leaves a topology alone that has messages on their way, and says so', async () => {
  const { t, run } = await openCli()
  await t.post('/api/workers', worker)
  await run('apply', '-f', file('busy.yaml', chain('busy'), chain('calm')), '--set', 'shop', '--publish')
  await t.post('/api/topologies/busy/run', { body: 1 })
  const { code, stderr } = await run('apply', '-f', file('busy.yaml', chain('calm')), '--set', 'shop', '--prune')
  expect(stderr).toBe(
    'busy is not pruned: 1 messages of it are queued; disable it, let them finish, then prune again\n',
  )
  expect(code).toBe(1)
  expect((await t.get('/api/topologies/busy')).body).toMatchObject({ visibility: 'public', revision: 1 })
})

test('a topology of another set is not taken over, and nothing is changed', async () => {
  const { t, run } = await openCli()
  await t.post('/api/topologies', { ...chain('one'), labels: { 'sluice/set': 'other' } })
  const path = file('mine.yaml', chain('new'), chain('one'))
  const { code, stderr } = await run('apply', '-f', path, '--set', 'mine')
  expect(stderr).toBe(
    'one belongs to the set "other": take it out of those files, then `sluice set one labels.sluice/set=`\n',
  )
  expect(code).toBe(1)
  expect((await t.get('/api/topologies/new')).status).toBe(404)
  expect((await run('set', 'one', 'labels.sluice/set=')).code).toBe(0)
  expect((await run('apply', '-f', path, '--set', 'mine')).stdout).toBe('new: created\none: changed\n')
  expect((await run('apply', '-f', path)).stdout).toBe('new: unchanged\none: unchanged\n')
})

test('wait ends when every live bridge goes by the revision, and fails when its time is over', async () => {
  const { t, run } = await openCli()
  await t.post('/api/workers', worker)
  const path = file('wait.yaml', chain('one'))
  const late = await run('apply', '-f', path, '--publish', '--wait', '--timeout', '1s')
  expect(late.stderr).toMatch(
    /^one: revision 1 is applied by 0 of 0 bridges after 1 s: start a bridge, or look at `sluice doctor`$/m,
  )
  expect(late.code).toBe(1)
  const { id } = (await t.get('/api/topologies/one')).body
  await beat(t, 'b', { revisions: { [id]: 1 } })
  expect(await run('publish', 'one', '--wait')).toMatchObject({ code: 0, stdout: 'one is published as revision 1\n' })
})

test.each([
  [['apply', '-f', 'x', '--prune'], /^--prune deletes what is of a set: say which with --set NAME/],
  [['apply', '-f', 'x', '--wait'], /^--wait waits for what --publish publishes/],
  [['apply', '-f', 'x', '--set', 'A B'], /^--set takes a name of 1 to 63 characters/],
  [['apply', '-f', 'x', '--timeout', 'soon'], /^--timeout takes a time such as 90s or 5m; found "soon"/],
])('sluice %j is wrong use', async (args, line) => {
  const { run } = await openCli()
  const { code, stderr } = await run(...args)
  expect(stderr).toMatch(line)
  expect(code).toBe(2)
})
