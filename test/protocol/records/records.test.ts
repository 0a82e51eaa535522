import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Chunker, chunkMax, faultsOf } from '../../../runtime/protocol/records/chunks.ts'
import type { Chunk } from '../../../runtime/protocol/records/chunks.ts'
import { recordMaxBytes } from '../../../runtime/protocol/records/entry.ts'
import { openRecords } from '../../../runtime/protocol/records/open.ts'
import { read } from './read.ts'

const json = 'application/json'
const ndjson = 'application/x-ndjson'
const csv = 'text/csv'

test.each([
  [json, '[1,2', ['1', 'broken: the array is not closed (byte 4, line 1)']],
  [json, '[1]\n\nx', ['1', 'broken: the body goes on after the end of the array (byte 5, line 3)']],
  [json, '[1,,2]', ['1', 'broken: expected an element after the comma (byte 3, line 1)']],
  [json, '[1,]', ['1', 'broken: expected an element after the comma (byte 3, line 1)']],
  [json, '[1 2]', ['1', 'broken: expected a comma or ] (byte 3, line 1)']],
  [json, '[{"a":1},\n{a}]', ['{"a":1}', 'broken: an element of the array is not JSON (byte 10, line 2)']],
  [json, '["a]\\"", {"b":"}"}, [[]]]', ['"a]\\""', '{"b":"}"}', '[[]]']],
  [ndjson, '1\nbad\n\n2', ['1', '2: line 2 is not JSON: bad', '2']],
  [ndjson, Buffer.from('1\n\xff\n2', 'latin1'), ['1', '2: line 2 is not UTF-8: ÿ', '2']],
  [
    csv,
    'a,b\n1\n2,3,4\n5,6',
    [
      '2: line 2 has one field, and the first line names 2: a,b\n1',
      '3: line 3 has 3 fields, and the first line names 2: a,b\n2,3,4',
      '{"a":"5","b":"6"}',
    ],
  ],
  [csv, 'a,b\r"x\ry",1\r\r2,3\r', ['{"a":"x\\ry","b":"1"}', '{"a":"2","b":"3"}']],
  [csv, 'a,b\n1,"x"y\n2,3', ['2: line 2 goes on after a closing quote: a,b\n1,"x"y', '{"a":"2","b":"3"}']],
  [csv, 'a,b\n1,"x\n2,3\n', ['2: a quote that is opened on line 2 is not closed: a,b\n1,"x', '{"a":"2","b":"3"}']],
  [csv, Buffer.from('a\n\xff\n1', 'latin1'), ['2: line 2 is not UTF-8: a\nÿ', '{"a":"1"}']],
  [csv, '2,1,__proto__\nx,y,z', ['{"2":"x","1":"y","__proto__":"z"}']],
  [csv, 'a,b\n1,5" disk\n,\n', ['{"a":"1","b":"5\\" disk"}', '{"a":"","b":""}']],
  [csv, '\ufeff"a" , "b"\n1,2', ['broken: a name of a column goes on after a closing quote (byte 0, line 1)']],
])('%s %j is read the same in one piece and byte by byte', (type, body, found) => {
  const mark = body.toString().startsWith('\ufeff') ? 3 : 0
  expect(read(type, body)).toEqual(found.map((text) => (mark ? text.replace('byte 0', 'byte 3') : text)))
  expect(read(type, body, 1)).toEqual(read(type, body))
})

const field = fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replaceAll('\0', ''))
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`

test('rows that were written by RFC 4180 are read as they were, wherever the pieces end', () => {
  const rows = fc.array(fc.tuple(field, fc.constantFrom('', 'x,y', 'a\nb', '"', '\r\n', 'ž')), { maxLength: 20 })
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 40 }), fc.constantFrom('\n', '\r\n', '\r'), (rows, piece, end) => {
      const body = ['a,b', ...rows.map((row) => row.map(quoted).join(','))].join(end)
      expect(read(csv, body, piece)).toEqual(rows.map(([a, b]) => JSON.stringify({ a, b })))
    }),
  )
})

test('elements and lines are what JSON says, wherever the pieces end', () => {
  fc.assert(
    fc.property(fc.array(fc.json(), { maxLength: 20 }), fc.integer({ min: 1, max: 40 }), (texts, piece) => {
      expect(read(json, `[${texts.join(' ,\n')}]`, piece)).toEqual(texts)
      expect(read(ndjson, texts.join('\n'), piece)).toEqual(texts)
    }),
  )
})

test('whatever the bytes, reading ends, and gives the same wherever the pieces end', () => {
  const parts = fc.constantFrom(
    '[',
    ']',
    '{',
    '}',
    ',',
    ':',
    '"',
    '\\',
    '\n',
    '\r',
    ' ',
    '1',
    'true',
    'a',
    '\ufeff',
    '\xff',
  )
  const bodies = fc.array(parts, { maxLength: 60 }).map((texts) => Buffer.from(texts.join(''), 'latin1'))
  fc.assert(
    fc.property(
      bodies,
      fc.constantFrom(json, ndjson, csv, 'application/json-seq'),
      fc.integer({ min: 1, max: 9 }),
      (body, type, piece) => {
        expect(read(type, body, piece)).toEqual(read(type, body))
      },
    ),
    { numRuns: 500 },
  )
})

test('what is larger than a message may be is a fault with its beginning, and the next one is read', () => {
  const large = 'x'.repeat(recordMaxBytes)
  const bodies = { [ndjson]: `1\n"${large}"\n2\n`, [json]: `[1,"${large}",\n2]`, [csv]: `a\n1\n${large}x\n2` }
  for (const [type, body] of Object.entries(bodies)) {
    const [first, fault = '', last, ...rest] = read(type, body, 65_536)
    expect([first, last, rest].map((text) => JSON.stringify(text)).join(' ')).toMatch(/1.* .*2.* \[\]/)
    expect(fault.slice(0, 80)).toMatch(/^[123]: what begins on line [123] is larger than 8388608 bytes/)
    expect(fault.length).toBeLessThan(70_000)
  }
})

test('a quote that is never closed costs one line, however much comes after it', () => {
  const rows = Array.from({ length: 200 }, (_, n) => `${n},${'x'.repeat(50_000)}`).join('\n')
  const found = read(csv, `a,b\nx,"open\n${rows}`, 65_536)
  expect(found).toHaveLength(201)
  expect(found[0]).toBe('2: a quote that is opened on line 2 is not closed: a,b\nx,"open')
})

test('depth is no danger', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  expect(read(ndjson, `${deep}\n1`).map((text) => text.length)).toEqual([200_000, 1])
  expect(read(json, `[${deep}]`, 65_536).map((text) => text.length)).toEqual([200_000])
})

function chunksOf(body: string, piece: number): Chunk[] {
  const reader = openRecords(ndjson)
  const chunker = new Chunker()
  const bytes = Buffer.from(body)
  const found: (Chunk | null)[] = []
  for (let at = 0; at < bytes.length; at += piece)
    for (const entry of reader?.push(bytes.subarray(at, at + piece)) ?? []) found.push(chunker.add(entry))
  for (const entry of reader?.end() ?? []) found.push(chunker.add(entry))
  return [...found, chunker.end()].filter((chunk) => chunk !== null)
}

test('chunks are the same wherever the pieces end, hold what was read, and are no larger than they may be', () => {
  const body = Array.from({ length: 5_000 }, (_, n) =>
    n % 7 === 0 ? `bad ${n}` : JSON.stringify({ n, pad: 'x'.repeat(n % 900) }),
  ).join('\n')
  const [chunks, others] = [chunksOf(body, 65_536), chunksOf(body, 999)]
  const textsOf = (of: Chunk[]) => of.map(({ body }) => Buffer.from(body).toString())
  expect(textsOf(others).join() === textsOf(chunks).join()).toBe(true)
  const records = chunks.flatMap(
    ({ body, recordBytes }) => JSON.parse(Buffer.from(body.subarray(0, recordBytes)).toString()) as { n: number }[],
  )
  expect(records.map(({ n }) => n)).toEqual(Array.from({ length: 5_000 }, (_, n) => n).filter((n) => n % 7 !== 0))
  const faults = chunks.flatMap((chunk) =>
    [...faultsOf(chunk.body, chunk)].map(({ line, raw }) => `${line} ${Buffer.from(raw).toString()}`),
  )
  expect(faults.slice(0, 2)).toEqual(['1 bad 0', '8 bad 7'])
  for (const { body, records, faults } of chunks) {
    expect(records + faults).toBeLessThanOrEqual(chunkMax.entries)
    expect(body.length).toBeLessThan(chunkMax.bytes * 1.1)
  }
})

test('10 000 columns are read, one more is refused, and of names that come again the first is told', () => {
  const names = Array.from({ length: 10_000 }, (_, n) => `c${n}`)
  const row = names.map((_, n) => n).join(',')
  expect(read(csv, `${names.join(',')}\n${row}`)).toHaveLength(1)
  expect(read(csv, [...names.slice(0, 9_999), 'c7'].join(','))).toEqual([
    'broken: columns 8 and 10000 have the same name (byte 0, line 1)',
  ])
  expect(read(csv, [...names, 'more'].join(','))[0]).toMatch(/^broken: the first line names more than 10000 columns/)
})
