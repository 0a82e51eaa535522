import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { yamlOf } from '../../runtime/topology/yaml.ts'
import { adminToken, beat, chain, published } from '../api/open.ts'
import { openCli } from './inside.ts'
import { sluice, temporaryFolder } from './sluice.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

test('a name that is wrong keeps none of the others from being published, and is told with exit code 1', async () => {
  const { t, run } = await openCli()
  await published(t, 'orders')
  await published(t, 'stores')
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { prefetch: 6 } }) })
  const { code, stdout, stderr } = await run('publish', 'nope', 'orders', 'nix', 'stores')
  expect(stdout).toBe('orders is published as revision 2\nstores is published as revision 1\n')
  expect(stderr).toMatch(/^.*nope.*\n.*nix.*\n$/)
  expect(code).toBe(1)
})

test('what is applied several times at once is applied once, and is well for all', async () => {
  const { t, url } = await openCli()
  await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
  const file = join(folder, 'race.yaml')
  const where = ['--url', url, '--token', adminToken]
  writeFileSync(file, ['one', 'two', 'three'].map((name) => yamlOf(chain(name))).join('---\n'))
  const all = await Promise.all([1, 2, 3].map(() => sluice(['apply', '-f', file, '--publish', ...where])))
  expect(all.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(3).fill({ code: 0, stderr: '' }))
  expect((await t.get('/api/topologies')).body.items.map(({ revision }: { revision: number }) => revision)).toEqual([
    1, 1, 1,
  ])
}, 30_000)

test('the status of an engine is shown in a few words', async () => {
  const { t, run } = await openCli()
  await beat(t, 'bridge-1')
  const { stdout } = await run('get', 'status')
  expect(stdout).toMatch(/^nats +connected, 2\./m)
  expect(stdout).toMatch(/^postgres +connected$/m)
  expect(stdout).toMatch(/^bridges +.*pid \d+/m)
  expect(stdout).not.toContain('{')
})
