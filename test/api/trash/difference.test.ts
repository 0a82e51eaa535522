import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formDifference } from '../../../runtime/api/actions/trash/difference.ts'
import type { Form } from '../../../runtime/api/actions/trash/difference.ts'
import { openApi } from '../open.ts'
import { tokenOf, withRuns } from '../../access/world.ts'

const form = (body: string | Uint8Array, contentType = 'application/json', headers = {}): Form => ({
  headers,
  contentType,
  body: Buffer.from(body),
})

test.each([
  ['{"a":1,"b":{"c":[1,2]}}', '{"b":{"c":[1,3,4]},"a":1}', ['/b/c/1 2→3', '/b/c/2 →4']],
  ['{"a/b":{"~":null}}', '{"a/b":{}}', ['/a~1b/~0 null→']],
  ['[1]', '{"0":1}', [' [1]→{"0":1}']],
  ['{"__proto__":{"x":1}}', '{"__proto__":{"x":2}}', ['/__proto__/x 1→2']],
  ['{"n":1}', '{"n":"1"}', ['/n 1→"1"']],
  ['{"n":null}', '{}', ['/n null→']],
  ['7', '7.0', []],
])('JSON %s → %s differs at %j', (before, after, expected) => {
  const { bodyAs, body } = formDifference(form(before), form(after))
  const shown = (side: unknown) => (side === undefined ? '' : JSON.stringify(side))
  expect([bodyAs, body.map((one) => `${one.path} ${shown(one.before)}→${shown(one.after)}`)]).toEqual([
    'json',
    expected,
  ])
})

test.each([
  ['a\nb\nc', 'a\nB\nc', ['2 b→', '2 →B']],
  ['id,name\n1,x\n2', 'id,name\n2', ['2 1,x→']],
  ['x', 'x\ny\nx', ['2 →y', '3 →x']],
  ['a\na\na', 'a\na', ['3 a→']],
  ['same', 'same', []],
])('text %j → %j differs in lines %j', (before, after, expected) => {
  const { bodyAs, lines } = formDifference(form(before, 'text/csv'), form(after, 'text/csv'))
  const shown = lines.map((one) => `${one.line} ${one.before ?? ''}→${one.after ?? ''}`)
  expect([bodyAs, shown]).toEqual(['text', expected])
})

test('the lines that are told make one text of the other, whatever both are', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(text, text, (before, after) => {
      const { lines } = formDifference(form(before.join('\n'), 'text/plain'), form(after.join('\n'), 'text/plain'))
      const gone = new Set(lines.flatMap((one) => (one.before === undefined ? [] : [one.line])))
      const made: string[] = before.filter((_, i) => !gone.has(i + 1))
      for (const one of lines) if (one.after !== undefined) made.splice(one.line - 1, 0, one.after)
      expect(made).toEqual(after)
    }),
  )
})

test('what is no text, nested too deep, or of another type is told as what it is, and of much only so much', () => {
  const bytes = formDifference(form(Uint8Array.of(0, 255), 'image/png'), form(Uint8Array.of(0, 254), 'image/png'))
  expect(bytes).toMatchObject({ bodyAs: 'bytes', body: [{ path: '', before: { bytes: 2 }, after: { bytes: 2 } }] })
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
  expect(formDifference(form(deep), form('1'))).toMatchObject({
    bodyAs: 'text',
    lines: [{ before: deep }, { after: '1' }],
  })
  expect(
    formDifference(form('1', 'text/plain', { 'x-a': '1' }), form('1', 'application/json', { 'x-b/c': '2' })),
  ).toMatchObject({
    contentType: { before: 'text/plain', after: 'application/json' },
    headers: [
      { path: 'x-a', before: '1' },
      { path: 'x-b/c', after: '2' },
    ],
    lines: [],
  })
  const many = (from: number) => Array.from({ length: 200_000 }, (_, i) => i + from)
  const wide = formDifference(form(JSON.stringify(many(0))), form(JSON.stringify(many(1))))
  expect([wide.body.length, wide.isComplete]).toEqual([1_000, false])
  const long = formDifference(form(many(0).join('\n'), 'text/csv'), form(many(7).reverse().join('\n'), 'text/csv'))
  expect([long.lines.length, long.isComplete]).toEqual([1_000, false])
})

test('two versions of a message are compared for whoever may see what messages hold', async () => {
  const t = await openApi()
  const { id } = await withRuns(t, 'orders')
  const put = (json: unknown) => t.send('PUT', '/api/trash/orders-x1', { json })
  await put({ body: { a: 1 } })
  await put({ body: { a: 2 }, headers: {} })
  const compare = async (query = '') => (await t.get(`/api/trash/orders-x1/difference${query}`)).body
  expect(await compare()).toMatchObject({
    ...{ from: 0, to: 2, contentType: null, isComplete: true },
    headers: [{ path: 'x-a', before: 'header-of-it' }],
    body: [{ path: '/a', after: 2 }],
  })
  expect(await compare('?from=1&to=2')).toMatchObject({ from: 1, body: [{ path: '/a', before: 1, after: 2 }] })
  expect(await compare('?from=2&to=1')).toMatchObject({ body: [{ path: '/a', before: 2, after: 1 }] })
  expect(await compare('?to=3')).toMatchObject({ status: 404, detail: expect.stringMatching(/no version 3/) as string })
  expect(await compare('?to=-1')).toMatchObject({ status: 400 })
  const token = await tokenOf(t, ['read'], { topologyId: id })
  expect((await t.send('GET', '/api/trash/orders-x1/difference', { token })).status).toBe(403)
})
