import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { leavesOf, wholeProgram } from '../../runtime/commands/program/program.ts'
import { withRuns } from '../access/world.ts'
import { nodeOf, published } from '../api/open.ts'
import { inside, openCli } from './inside.ts'
import { temporaryFolder } from './sluice.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

test('values of a node are set, and brought to the bridges at once or later', async () => {
  const { t, run } = await openCli()
  await published(t, 'orders')
  const set = await run('set', 'orders/a', 'prefetch=5', 'retry.attempts=3', 'retry.on=timeout,status:5xx')
  expect(set.stdout).toBe('orders/a is changed; bridges go by it after: sluice republish orders\n')
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({
    prefetch: 5,
    retry: { attempts: 3, on: ['timeout', 'status:5xx'] },
  })
  expect((await run('republish', 'orders')).stdout).toBe('orders is republished as revision 2: applied by 0 bridges\n')
  const back = await run('set', 'orders/a', 'retry.attempts=', 'prefetch=6', '--republish')
  expect(back.stdout).toBe('orders/a is changed\norders is republished as revision 3: applied by 0 bridges\n')
  const published3 = { prefetch: 6, revision: 3, retry: { attempts: 10 } }
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 6, published: published3 })
  expect((await run('set', 'orders/a', 'prefetch=')).stderr).toMatch(/prefetch: it always has a value/)
})

test('every value that is wrong is named at once, before the engine is asked', async () => {
  const { run } = await openCli()
  const { code, stderr } = await run('set', 'orders/a', 'prefech=5', 'timeoutMs=long', 'x')
  expect(stderr).toMatch(/^ {2}prefech: there is no such value \(did you mean "prefetch"\?\)/m)
  expect(stderr).toMatch(/^ {2}timeoutMs: expected a whole number; found "long"$/m)
  expect(stderr).toMatch(/^ {2}x: say KEY=VALUE/m)
  expect(code).toBe(2)
})

test('labels of a topology are set one by one', async () => {
  const { t, run } = await openCli()
  await published(t, 'orders')
  await run('set', 'orders', 'labels.team=shop', 'labels.tier=1', 'description=New orders')
  await run('set', 'orders', 'labels.tier=')
  expect((await t.get('/api/topologies/orders')).body).toMatchObject({
    labels: { team: 'shop' },
    description: 'New orders',
  })
})

test('revisions are listed, compared and brought back', async () => {
  const { t, run } = await openCli()
  await published(t, 'orders')
  await run('set', 'orders/a', 'prefetch=5', '--republish')
  expect((await run('revisions', 'orders')).stdout).toMatch(/^REVISION .*\n2 +republish .*\n1 +publish /)
  expect((await run('diff', 'orders', '1')).stdout).toBe(
    'orders: between revision 1 and revision 2\n  ~ node a\n  ~   prefetch: 1 → 5\n',
  )
  expect((await run('diff', 'orders')).stdout).toBe('orders: revision 2 and the draft are the same\n')
  expect((await run('rollback', 'orders', '1')).stdout).toMatch(
    /^orders: revision 1 is published again, as revision 3;/,
  )
  expect((await run('diff', 'orders', '1', '3')).stdout).toBe('orders: revision 1 and revision 3 are the same\n')
  expect(JSON.parse((await run('diff', 'orders', '1', '2', '-o', 'json')).stdout)).toMatchObject({ from: 1, to: 2 })
})

test('a topology is disabled, renamed, unpublished and deleted', async () => {
  const { t, run } = await openCli()
  await published(t, 'orders')
  await run('disable', 'orders')
  expect((await t.get('/api/topologies/orders')).body).toMatchObject({ enabled: false })
  await run('enable', 'orders/start')
  await run('rename', 'orders', 'shop')
  expect((await run('delete', 'shop')).stderr).toMatch(/is published: unpublish it first/)
  await run('unpublish', 'shop')
  expect((await run('delete', 'shop')).stdout).toBe('shop is deleted; its runs and its Trash stay\n')
  expect((await t.get('/api/topologies')).body.items).toEqual([])
})

test('a name that is nearly right gets a suggestion', async () => {
  const { t, run } = await openCli()
  await published(t, 'orders')
  for (const args of [
    ['run', 'ordres'],
    ['get', 'nodes', 'ordres'],
    ['publish', 'ordres'],
    ['pause', 'ordres/a'],
  ])
    expect(await run(...args)).toMatchObject({
      code: 1,
      stderr: 'there is no topology "ordres" (did you mean "orders"?)\n',
    })
})

test('lists are narrowed by flags, and a filter that says nothing of a list is refused', async () => {
  const { t, run } = await openCli()
  await published(t, 'orders')
  expect((await run('get', 'runs', '--state', 'failed', '--since', '2h')).stdout).toBe('none\n')
  expect((await run('get', 'runs', '--state', 'lost')).stderr).toMatch(/state/)
  const wrong = await run('get', 'workers', '--state', 'open')
  expect(wrong).toMatchObject({ code: 2, stderr: '--state says nothing of workers; they take no filters\n' })
  expect((await run('get', 'node', 'orders/a', '-o', 'yaml')).stdout).toMatch(/^name: a$/m)
  expect((await run('get', 'revision', 'orders', '1', '-o', 'json')).stdout).toMatch(/"plan"/)
  expect((await run('get', 'status')).stdout).toMatch(/^version/)
})

test('tokens are made with scopes in any form, listed and deleted, and who did so is told', async () => {
  const { run } = await openCli()
  const made = await run(
    'token',
    'create',
    'ci',
    '--scope',
    'read,run',
    '--scope',
    'design',
    '--expires',
    '30d',
    '-o',
    'json',
  )
  const { id, scopes } = JSON.parse(made.stdout) as { id: string; scopes: string[] }
  expect(scopes.toSorted()).toEqual(['design', 'read', 'run'])
  expect((await run('token', 'list')).stdout).toMatch(/^ID +NAME +SCOPES +TOPOLOGY ID +EXPIRES AT/)
  expect((await run('get', 'token', id)).stdout).toMatch(/^name +ci$/m)
  expect((await run('token', 'remove', id)).stdout).toBe(`token ${id} is deleted\n`)
  const audit = await run('get', 'audit', '--who', 'admin', '--since', '1h')
  expect(audit.stdout).toMatch(/^AT +WHO +ACTION +TARGET +AFTER +ADDRESS\n.* admin +deleteToken +token ci /)
  expect((await run('get', 'session')).stdout).toMatch(/^name +admin$/m)
})

const wrongLimits: readonly (readonly [limit: string, why: RegExp])[] = [
  ['often', /RATE\/PERIOD, found "often"/],
  ['0/second', /the rate is a whole number from 1 to 1000000, found "0"/],
  ['2/seconds', /the period is one of second, minute, hour, day, found "seconds" \(did you mean "second"\?\)/],
  ['2/second,brust=3', /found "brust=3" \(did you mean "burst"\?\)/],
  ['2/second,burst=x', /burst is a whole number .* found "x"/],
  ['2/second,scope=world', /scope is one of global, tenant, found "world"/],
  ['2/second,burst=1,burst=2', /burst is there twice/],
]

test('a service is stored with its limits, and changed', async () => {
  const { t, run } = await openCli()
  await run('service', 'add', 'shopify', '--limit', '2/second,burst=10', '--limit', '100/day,scope=tenant')
  await run('service', 'add', 'shopify', '--limit', '3/second', '--max-in-flight', '4')
  expect((await t.get('/api/services/shopify')).body).toMatchObject({
    limits: [{ rate: 3, per: 'second' }],
    maxInFlight: 4,
  })
  for (const [limit, why] of wrongLimits) {
    const { code, stderr } = await run('service', 'add', 'x', '--limit', limit)
    expect({ limit, code }).toEqual({ limit, code: 2 })
    expect(stderr).toMatch(why)
    expect(stderr).toContain('100/minute,burst=20')
  }
  expect((await run('service', 'list')).stderr).toContain('such as `sluice get services`')
  const nothing = 'service shopify waits for nothing\n'
  expect(await run('service', 'resume', 'shopify')).toMatchObject({ code: 0, stdout: nothing })
  const ofAcme = 'acme has no wait of its own at service shopify; without --tenant all that wait are called again\n'
  expect(await run('service', 'resume', 'shopify', '--tenant', 'acme')).toMatchObject({ code: 0, stdout: ofAcme })
  expect(await run('service', 'resume', 'nope')).toMatchObject({ code: 1 })
  expect((await run('service', 'remove', 'shopify')).stdout).toBe('service shopify is removed\n')
})

test('what the limits of a service do is shown, and who uses it', async () => {
  const { t, run } = await openCli()
  await run('service', 'add', 'geo', '--limit', '2/second,burst=10', '--limit', '100/day,scope=tenant')
  await run('service', 'add', 'erp', '--max-in-flight', '4', '--in-flight-scope', 'tenant')
  expect((await run('service', 'add', 'x', '--in-flight-scope', 'tenant')).code).toBe(2)
  const listed = (await run('get', 'services')).stdout
  expect(listed).toMatch(/^NAME +LIMITS +MAX IN FLIGHT +IN FLIGHT SCOPE\nerp +4 +tenant\n/)
  expect(listed).toMatch(/geo +2\/second,burst=10; 100\/day,scope=tenant/)
  await published(t, 'orders', { a: { service: 'geo' } })
  const { stdout, code } = await run('service', 'state', 'geo', '--tenant', 'acme')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^geo: 2\/second,burst=10; 100\/day,scope=tenant\nKEY +WAITING/)
  expect(stdout).toMatch(/\n\(all\) +0 +- +0 +2 .*\nacme +0 +- +0 +0\.0012 /)
  expect(stdout).toMatch(/used by: orders\/a\nnothing waits\n$/)
  const { shared } = JSON.parse((await run('service', 'state', 'geo', '-o', 'json')).stdout) as Record<string, unknown>
  expect(shared).toMatchObject({ declaredPerSecond: 2 })
  expect(await run('service', 'state', 'nobody')).toMatchObject({ code: 1 })
  expect((await run('service', 'remove', 'geo')).stderr).toContain('nodes use the service "geo": orders/a')
})

test('a draft goes out as a document of the older editors, and comes back', async () => {
  const { t, run } = await openCli()
  await published(t, 'orders')
  for (const format of ['bpmn', 'flow']) {
    const path = join(folder, `orders.${format}`)
    writeFileSync(path, (await run('export', 'orders', '--format', format)).stdout)
    expect((await run('import', 'orders', path, '--dry-run')).stdout).toMatch(/^orders: the draft would be replaced/)
    expect((await run('import', 'orders', path)).stdout).toMatch(/^orders: the draft is replaced/)
  }
  expect((await run('diff', 'orders')).stdout).toBe('orders: revision 1 and the draft are the same\n')
})

test('a start takes a body that is no JSON, byte by byte', async () => {
  const { t, run } = await openCli()
  await published(t, 'orders')
  const path = join(folder, 'orders.csv')
  writeFileSync(path, 'a;b\n')
  const started = await run('run', 'orders', 'start', '--data', `@${path}`, '--content-type', 'text/csv', '--key', 'k')
  expect(started.code).toBe(0)
  expect((await run('run', 'orders', 'start', '--key', 'k')).stdout).toBe(started.stdout)
})

test('every command says in its help what it takes, with examples', async () => {
  const leaves = leavesOf(await wholeProgram())
  expect(leaves.length).toBeGreaterThan(35)
  const { stdout } = await inside(['help', '--all'])
  for (const section of stdout.split(/^## /m).slice(1)) expect(section).toMatch(/^Examples:\n {2}\S.*\n {6}\S/m)
})

test('a run that is being cancelled is shown so, and nodes with their partitions and why they rest', async () => {
  const { t, run } = await openCli()
  const { node } = await withRuns(t, 'orders')
  expect((await run('get', 'runs', 'orders')).stdout).toMatch(/^orders-running +orders +start +running /m)
  expect((await run('cancel', 'orders-running')).code).toBe(0)
  expect((await run('get', 'runs', 'orders')).stdout).toMatch(/^orders-running +orders +start +cancelling /m)
  expect((await run('get', 'run', 'orders-running')).stdout).toMatch(/^state +cancelling$/m)
  const { stdout } = await run('get', 'run', 'orders-running', '-o', 'json')
  expect(JSON.parse(stdout)).toMatchObject({ state: 'running', cancelRequestedAt: expect.any(String) as string })
  await t.send('PATCH', `/api/nodes/${node.id}`, { json: { paused: true } })
  const nodes = (await run('get', 'nodes', 'orders')).stdout
  expect(nodes).toMatch(/^NAME +TYPE +WORKER +PREFETCH +PARTITIONS +ENABLED +PAUSED REASON /)
  expect(nodes).toMatch(/^a +custom +w +1 +1 +true +paused by admin /m)
})

test('a list of a topology or a run that is not there is an error, and an empty one is none', async () => {
  const { t, run } = await openCli()
  await published(t, 'orders')
  for (const kind of ['runs', 'cron', 'cursors', 'watermarks', 'trash', 'queues', 'trash-groups'])
    expect(await run('get', kind, 'ordres')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^there is no topology "ordres"/) as string,
    })
  for (const args of [
    ['get', 'cursors'],
    ['get', 'trash'],
    ['trash', 'list'],
    ['trash', 'groups'],
    ['trash', 'replay', '--all'],
  ])
    expect(await run(...args, '--run', 'nope')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no run "nope"/) as string,
    })
  expect(await run('get', 'runs', 'orders')).toEqual({ code: 0, stdout: 'none\n', stderr: '' })
  expect(await run('get', 'cursors', 'orders', '--active', '--limit', '4')).toMatchObject({ code: 0, stdout: 'none\n' })
  expect(await run('get', 'cursors', '--active', 'false')).toMatchObject({ code: 0, stdout: 'none\n' })
  expect((await run('get', 'cursors', '--active', 'orders')).stderr).toMatch(/Allowed choices are true, false/)
})
