import fc from 'fast-check'
import { expect, test } from 'vitest'
import { differenceOf, hunksOf } from '../../console/src/parts/body/difference.ts'
import { flatten } from '../../console/src/parts/body/flatten.ts'
import { base64Of, bodyOf, parseJson, prettyJson } from '../../console/src/parts/body/text.ts'
import { jsonFault } from '../../console/src/parts/body/json-fault.ts'
import { justAfter, openBook, rowsMax } from '../../console/src/parts/list/book.ts'
import { extentOf } from '../../console/src/parts/list/extent.ts'
import { openNewest } from '../../console/src/parts/newest.ts'

const texts = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 30 }).map((lines) => lines.join('\n'))

test('a difference has all lines of both texts, in order, and equal texts have none', () => {
  fc.assert(
    fc.property(texts, texts, (before, after) => {
      const lines = differenceOf(before, after)
      const of = (kind: 'removed' | 'added') => lines.filter((line) => line.kind === 'same' || line.kind === kind)
      expect(of('removed').map(({ text }) => text)).toEqual(before.split('\n'))
      expect(of('added').map(({ text }) => text)).toEqual(after.split('\n'))
      if (before === after) expect(hunksOf(lines)).toEqual([before.split('\n').length])
    }),
  )
})

test('texts that differ in all of their lines are compared in a moment', () => {
  const long = (mark: string) => Array.from({ length: 50_000 }, (_, n) => `${mark}${n}`).join('\n')
  const began = performance.now()
  expect(differenceOf(long('a'), long('b'))).toHaveLength(100_000)
  expect(performance.now() - began).toBeLessThan(5_000)
})

test('JSON in lines is the same JSON, number by number', () => {
  fc.assert(fc.property(fc.json(), (json) => void expect(JSON.parse(prettyJson(json))).toEqual(JSON.parse(json))))
  expect(prettyJson('{"id":12345678901234567890,"n":1.0,"e":[],"o":{ }}')).toBe(
    '{\n  "id": 12345678901234567890,\n  "n": 1.0,\n  "e": [],\n  "o": {}\n}',
  )
})

test('bytes come back as they went', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      (text) => void expect(bodyOf('text/plain', base64Of(text)).text).toBe(text),
    ),
  )
  expect(bodyOf('x/y', '/wA=').text).toBe(null)
})

test('what is no JSON is told with its place', () => {
  expect(jsonFault('{\n  "a": }')).toMatch(/^This is no JSON at line 2, column 8/)
  expect(jsonFault('{\n  "a": [')).toMatch(/^This is no JSON at line 2/)
  for (const [text, what] of [
    ['{"a" 1}', 'a colon is missing'],
    ['[1 2]', 'a comma, or what closes it, is missing'],
    ['{"a": "b', 'this text in quotes is not closed'],
    ['{"a": 1,}', 'a name in quotes is missing'],
    ['{} {}', 'there is something after the end'],
    ['', 'a value is missing'],
  ] as const)
    expect([text, jsonFault(text)]).toEqual([text, expect.stringContaining(what)])
  fc.assert(fc.property(fc.json(), (json) => void expect(jsonFault(json)).toBe(null)))
  fc.assert(fc.property(fc.string(), (text) => void jsonFault(text)))
})

test('of a long list only parts are lines until somebody opens one', () => {
  const list = Array.from({ length: 400_000 }, (_, n) => n)
  const closed = flatten(parseJson(JSON.stringify({ list })), new Map([['/list', true]]))
  expect(closed.length).toBeLessThan(4_100)
  const opened = flatten(
    { list },
    new Map([
      ['/list', true],
      ['/list~0…', true],
    ]),
  )
  expect(opened.length - closed.length).toBe(200)
})

interface Row {
  readonly id: string
  readonly at: string
}

/** Rows as the API pages through them: the newest first, after a row. */
function listOf(rows: Row[]) {
  return openBook<Row>({
    key: ['test'],
    idOf: ({ id }) => id,
    timeOf: ({ at }) => at,
    async fetch({ after, until, limit }) {
      const all = rows.filter(({ at }) => until === null || at < until).toSorted((a, b) => (a.at < b.at ? 1 : -1))
      const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1
      const items = all.slice(from, from + limit)
      return { items, next: from + limit < all.length ? (items.at(-1)?.id ?? null) : null }
    },
  })
}
const row = (n: number): Row => ({ id: `r${n}`, at: new Date(1_767_225_600_000 + n * 1_000).toISOString() })

test('a list that is looked at does not move when rows come, and loses none when others go', async () => {
  const rows = Array.from({ length: 450 }, (_, n) => row(n))
  const book = listOf(rows)
  for (const page of [0, 1, 2]) await book.read(page)
  expect(book.known()).toMatchObject({ total: 450, starts: [0, 200, 400], isWhole: true })
  rows.push(...Array.from({ length: 300 }, (_, n) => row(1_000 + n)))
  expect((await book.read(0)).map(({ id }) => id)).toEqual(Array.from({ length: 200 }, (_, n) => `r${449 - n}`))
  rows.splice(
    rows.findIndex(({ id }) => id === 'r440'),
    1,
  )
  const again = await Promise.all([0, 1, 2].map((page) => book.read(page)))
  const ids = again.flat().map(({ id }) => id)
  expect([ids.length, new Set(ids).size, ids.includes('r440')]).toEqual([449, 449, false])
  expect((await book.renew()).rows[0]?.id).toBe('r1299')
})

/** So many rows, two of each millisecond, by their position. */
function longList(total: number) {
  return openBook<Row>({
    key: ['long'],
    idOf: ({ id }) => id,
    timeOf: ({ at }) => at,
    async fetch({ after, limit }) {
      const from = after === null ? 0 : Number(after)
      const to = Math.min(total, from + limit)
      const items = Array.from({ length: to - from }, (_, n) => {
        const position = from + n
        return { id: `r${9_999_999 - position}`, at: new Date(1_767_225_600_000 - (position >> 1)).toISOString() }
      })
      return { items, next: to < total ? String(to) : null }
    },
  })
}

test.each([
  [rowsMax, '370,000 in all'],
  [rowsMax + 1, 'A list ends after 370,000 messages, and there are more: narrow it by what is above'],
])('a list of %i rows says where it ends, and whether there are more', async (total, says) => {
  const book = longList(total)
  expect(extentOf(book.known(), 'messages', true)).toBe('0 read, there are more messages')
  for (let page = 0; !book.known().isWhole; page++) await book.read(page)
  expect(extentOf(book.known(), 'messages', true)).toBe(says)
  expect(extentOf(book.known(), 'messages', false)).toBe(says.replace(/: narrow.*/, ''))
  // Rows have 48 pixels, and no browser draws what is further down.
  expect(book.known().total * 48).toBeLessThan(17_895_697)
})

test('where a list goes on, nothing of the millisecond it ended in is left out', () => {
  expect(justAfter('2026-03-02T10:00:00.999Z')).toBe('2026-03-02T10:00:01.000Z')
})

test('of what is asked for in a row the newest counts, in whichever order it is answered', async () => {
  const newest = openNewest()
  const settle: ((answer: Promise<string>) => void)[] = []
  const asked = ['first', 'second', 'third'].map(() => newest(new Promise<string>((resolve) => settle.push(resolve))))
  settle[2]?.(Promise.resolve('third'))
  settle[0]?.(Promise.resolve('first'))
  settle[1]?.(Promise.reject(new Error('second')))
  expect(await Promise.all(asked)).toEqual([null, null, { value: 'third' }])
  const dropped = newest(Promise.resolve('fourth'))
  newest.drop()
  expect(await dropped).toBe(null)
  await expect(newest(Promise.reject(new Error('fifth')))).rejects.toThrow('fifth')
})
