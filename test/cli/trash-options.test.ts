import { expect, test } from 'vitest'
import { saveManifest } from '../../runtime/store/queries/workers.ts'
import { savedEdit, shownText } from '../../runtime/commands/terminal/editor.ts'
import { control, failed } from '../api/bulk/flow.ts'
import { withRuns } from '../access/world.ts'
import { openApi } from '../api/open.ts'
import { openCli } from './inside.ts'

/** What the API takes, the command line takes, too. */
async function withTwo() {
  const t = await openApi()
  await withRuns(t, 'orders')
  return openCli(t)
}

test('a message is shown byte by byte, in each of its versions, and numbers keep their digits when it is edited', async () => {
  const { run } = await withTwo()
  const body = '{ "id": 12345678901234567890 }'
  expect((await run('trash', 'edit', 'orders-x1', '--body', body)).code).toBe(0)
  expect((await run('trash', 'edit', 'orders-x1', '--body', '{"id": 1.50}')).code).toBe(0)
  const exact = async (...version: string[]) => (await run('trash', 'show', 'orders-x1', '--exact', ...version)).stdout
  expect([await exact(), await exact('1'), await exact('0')]).toEqual(['{"id":1.5}', body, '{}'])
  expect(await run('trash', 'show', 'orders-x1', '--exact', '7')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/no version 7/) as string,
  })
  const whole = (await run('trash', 'show', 'orders-x1')).stdout
  expect(whole).toMatch(
    /\n\{\}\nversion 1 by admin:\n\{ "id": 12345678901234567890 \}\nversion 2 by admin:\n\{\n {2}"id": 1.5\n\}\n$/,
  )
  expect((await run('trash', 'show', 'orders-x1', '--exact', '1', '-o', 'json')).stdout).toContain('"version": 1')
  expect((await run('trash', 'show', 'orders-x1', '--diff', '--from', '1', '--to', '2')).stdout).toMatch(
    /^version 1 → 2\n\/id: .* → 1.5\n$/,
  )
  for (const wrong of [
    ['--exact', '--diff'],
    ['--from', '1'],
    ['--exact', 'x'],
  ])
    expect([wrong, (await run('trash', 'show', 'orders-x1', ...wrong)).code]).toEqual([wrong, 2])
})

test('an edit sets headers and takes them away, and leaves the others and the body', async () => {
  const { t, run } = await withTwo()
  expect((await run('trash', 'edit', 'orders-x1', '--header', 'x-shop=a=b', '--header', 'x-n=1')).code).toBe(0)
  expect((await run('trash', 'edit', 'orders-x1', '--header', 'x-a=')).code).toBe(0)
  expect((await t.get('/api/trash/orders-x1')).body.versions).toMatchObject([
    { headers: { 'x-a': 'header-of-it', 'x-shop': 'a=b', 'x-n': '1' }, body: {} },
    { headers: { 'x-shop': 'a=b', 'x-n': '1' }, body: {} },
  ])
  for (const wrong of [
    ['--header', 'x-a'],
    ['--header', 'host=x'],
    ['--accept-warnings', '--body', '1'],
  ])
    expect([wrong, (await run('trash', 'edit', 'orders-x1', ...wrong)).code]).toEqual([wrong, 2])
})

test('a list has all states when it is asked for them, and ids go with no filters', async () => {
  const { t, run } = await withTwo()
  await t.send('DELETE', '/api/topologies/orders?force=true')
  expect((await run('trash', 'list', '--state', 'all')).stdout).toMatch(
    /^ID .* STATE [^]*orders-x2 .* open [^]*orders-x1 /,
  )
  expect((await run('trash', 'groups', '--state', 'all')).stdout).toMatch(/^2 /m)
  expect((await run('get', 'trash', '--tenant', 'nobody')).stdout).toBe('none\n')
  for (const wrong of [['--all'], ['--run', 'r']])
    expect(await run('trash', 'discard', 'orders-x1', ...wrong)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^give either ids, or --all/) as string,
    })
})

test('a bulk is of named messages, with a canary of its own size, and a preview knows what is accepted', async () => {
  const world = await failed(3)
  const { t } = world
  const { run } = await openCli(t)
  const ids = (await t.get('/api/trash?state=open')).body.items.map(({ id }) => id)
  const input = { type: 'object', properties: { n: { maximum: 1 } } }
  await saveManifest(t.store, 'w', { protocol: 1, worker: 'w', nodes: [{ name: 'b', type: 'connector', input }] })
  const preview = async (...more: string[]) => (await run('trash', 'bulk', 'preview', 'replay', ...more)).stdout
  expect(await preview('--topology', 'orders')).toMatch(
    /^3 messages; 3 of them:\n[^]*would be refused: it doesn't fit[^]*\/n must be <= 1/,
  )
  expect(await preview('--topology', 'orders', '--accept-warnings')).not.toContain('refused')
  expect(await preview(...ids.slice(1))).toMatch(/^2 messages/)
  expect(await run('trash', 'bulk', 'preview', 'replay')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^say which/) as string,
  })
  const create = (...more: string[]) => run('trash', 'bulk', 'create', 'replay', ...more)
  const made = await create(...ids.slice(1), '--canary-steps', '2,20', '--rate', '0.5', '--accept-warnings')
  expect((await t.get(`/api/trash/bulk/${made.stdout.trim()}`)).body).toMatchObject({
    ...{ canary: { first: 2, five: 20 }, ratePerSecond: 0.5, acceptWarnings: true, messages: { total: 2 } },
    filter: { ids: ids.slice(1) },
  })
  for (const wrong of [['--canary-steps', '2'], ['--canary-steps', '0,1'], ['--rate', '0'], ['--rate', 'x'], []])
    expect([wrong, (await create(...wrong, ...(wrong.length > 0 ? ids : []))).code]).toEqual([wrong, 2])
  world.takes(() => true)
  control(world)
  expect((await run('trash', 'bulk', 'show', made.stdout.trim(), '--follow')).code).toBe(0)
})

const exact = (contentType: string, body: string | Uint8Array) => ({
  contentType,
  bodyBase64: Buffer.from(body).toString('base64'),
})
const json = 'application/json'

test('an editor shows JSON with its lines indented, unless its numbers would not survive it, and other texts as they are', () => {
  expect(shownText(exact(json, '{"a":1}'))).toBe('{\n  "a": 1\n}\n')
  expect(shownText(exact(json, '{"a":12345678901234567890}'))).toBe('{"a":12345678901234567890}')
  expect(shownText(exact(json, '{broken'))).toBe('{broken')
  expect(shownText(exact('text/csv', '\ufeffid\n1'))).toBe('\ufeffid\n1')
  expect(() => shownText(exact('text/csv', Uint8Array.of(0xff)))).toThrow(/no text that an editor can show/)
})

test('what is saved in an editor is sent as it is meant, and nothing when nothing was changed', () => {
  const saved = (contentType: string, body: string, after: string) => {
    const edit = savedEdit({ contentType }, shownText(exact(contentType, body)), after)
    return edit?.bodyBase64 === undefined ? (edit?.body ?? null) : Buffer.from(edit.bodyBase64, 'base64').toString()
  }
  expect(saved(json, '{"a":1}', '{\n  "a": 1\n}\n')).toBeNull()
  expect(saved(json, '{"a":1}', '{"a":2}\n')).toEqual({ a: 2 })
  expect(saved(json, '{"a":12345678901234567890}', '{"a":12345678901234567890}\n')).toBeNull()
  expect(saved(json, '{"a":12345678901234567890}', '{"a":12345678901234567891}\n')).toBe('{"a":12345678901234567891}')
  expect(saved('text/csv', 'id\n1', 'id\n1\n')).toBeNull()
  expect(saved('text/csv', 'id\n1', 'id\n2\n')).toBe('id\n2')
  expect(saved('text/csv', 'id\n1\n', 'id\n2\n')).toBe('id\n2\n')
  expect(() => saved(json, '1', '{')).toThrow(/not JSON/)
})
