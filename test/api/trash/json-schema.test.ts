import { expect, test } from 'vitest'
import { checkTexts } from '../../../runtime/api/input/json-schema/check.ts'

const order = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'integer' }, lines: { type: 'array', items: { $ref: '#/$defs/line' } } },
  additionalProperties: false,
  $defs: { line: { type: 'object', properties: { unit: { enum: ['kg', 'pc'] } } } },
}

test('each text has all its faults, by JSON Pointer, whatever draft the schema says that it is of', async () => {
  const texts = ['{"id":1,"lines":[{"unit":"kg"}]}', '{"id":"1","lines":[{},{"unit":"t"}],"x":0}', '"text"']
  expect(await checkTexts(order, texts)).toEqual({
    kind: 'checked',
    cut: null,
    faults: [
      [],
      [
        { path: '', message: 'must NOT have additional properties: "x"' },
        { path: '/id', message: 'must be integer' },
        { path: '/lines/1/unit', message: 'must be equal to one of the allowed values: ["kg","pc"]' },
      ],
      [{ path: '', message: 'must be object' }],
    ],
  })
})

const endless = { type: 'string', pattern: '^(a+)+$' }
const wide = Object.fromEntries(
  Array.from({ length: 200 }, (_, i) => [`d${i}`, { allOf: [{ $ref: `#/$defs/d${i + 1}` }] }]),
)

test.each([
  ['a schema elsewhere', { $ref: 'http://127.0.0.1:1/schema.json' }, /can't resolve reference/],
  ['a file', { $ref: 'file:///etc/passwd' }, /can't resolve reference/],
  ['what is no schema', { type: 'banana' }, /schema is invalid/],
  ['a pattern that is none', { pattern: '(' }, /Invalid regular expression/],
  ['a reference that leads nowhere', { allOf: [{ $ref: '#/$defs/d0' }], $defs: wide }, /can't resolve reference/],
] as const)('%s makes the schema unusable, and nothing else', async (_, schema, why) => {
  const answer = await checkTexts(schema, [JSON.stringify(`${'a'.repeat(40)}!`)])
  expect(answer).toMatchObject({ kind: 'unusable', why: expect.stringMatching(why) as string })
})

test('a text by which a pattern takes for ever is where a check ends: what was checked before it counts', async () => {
  const texts = ['"aaa"', '"b"', JSON.stringify(`${'a'.repeat(40)}!`), '"aa"']
  expect(await checkTexts(endless, texts)).toEqual({
    kind: 'checked',
    cut: 'that takes longer than 2000 ms',
    faults: [[], [{ path: '', message: 'must match pattern "^(a+)+$"' }]],
  })
})

test('a schema that says of itself that it answers later, or goes round in a circle, is checked as any other', async () => {
  const round = {
    $async: true,
    $ref: '#/$defs/a',
    $defs: { a: { type: ['object', 'null'], properties: { a: { $ref: '#/$defs/a' } } } },
  }
  expect(await checkTexts(round, ['{"a":{"a":null}}', '{"a":{"a":1}}'])).toMatchObject({
    faults: [[], [{ path: '/a/a' }]],
  })
})

test('however many checks there are at once, each has its own answer', async () => {
  const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => checkTexts({ const: n }, ['3'])))
  expect(answers.map((answer) => answer.kind === 'checked' && answer.faults[0]?.length)).toEqual([1, 1, 0, 1, 1])
})
