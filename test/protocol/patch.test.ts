import fc from 'fast-check'
import { expect, test } from 'vitest'
import { differences } from '../../runtime/protocol/patch/difference.ts'
import { inexactNumber } from '../../runtime/protocol/patch/exact.ts'
import type { Operation } from '../../runtime/protocol/patch/json-patch.ts'
import { patched } from '../../runtime/protocol/patch/patch.ts'
import type { Patch } from '../../runtime/protocol/patch/patch.ts'
import type { Json } from '../../runtime/protocol/patch/pointer.ts'

const apply = (body: string, patch: Patch): string => Buffer.from(patched(Buffer.from(body), patch).body).toString()
const operate = (body: string, ...operations: unknown[]): string =>
  apply(body, { type: 'json-patch', operations: operations as Operation[] })
const merge = (body: string, value: unknown): string => apply(body, { type: 'merge-patch', value: value as Json })

test.each([
  // RFC 6902, appendix A.
  ['{"foo":"bar"}', { op: 'add', path: '/baz', value: 'qux' }, '{"foo":"bar","baz":"qux"}'],
  ['{"foo":["bar","baz"]}', { op: 'add', path: '/foo/1', value: 'qux' }, '{"foo":["bar","qux","baz"]}'],
  ['{"foo":["bar"]}', { op: 'add', path: '/foo/-', value: ['abc'] }, '{"foo":["bar",["abc"]]}'],
  ['{"baz":"qux","foo":"bar"}', { op: 'remove', path: '/baz' }, '{"foo":"bar"}'],
  ['{"foo":["bar","qux","baz"]}', { op: 'remove', path: '/foo/1' }, '{"foo":["bar","baz"]}'],
  ['{"baz":"qux"}', { op: 'replace', path: '/baz', value: null }, '{"baz":null}'],
  [
    '{"foo":{"bar":"b","w":"f"},"q":{}}',
    { op: 'move', from: '/foo/w', path: '/q/t' },
    '{"foo":{"bar":"b"},"q":{"t":"f"}}',
  ],
  ['{"foo":["all","cows"]}', { op: 'move', from: '/foo/0', path: '/foo/1' }, '{"foo":["cows","all"]}'],
  ['{"a":[1]}', { op: 'copy', from: '/a', path: '/b' }, '{"a":[1],"b":[1]}'],
  ['{"/":9,"~1":10}', { op: 'test', path: '/~01', value: 10 }, '{"/":9,"~1":10}'],
  ['{"a":{"x":1,"y":[2]}}', { op: 'test', path: '/a', value: { y: [2], x: 1 } }, '{"a":{"x":1,"y":[2]}}'],
  ['{"a":1}', { op: 'replace', path: '', value: [1] }, '[1]'],
  ['{"":1}', { op: 'replace', path: '/', value: 2 }, '{"":2}'],
])('%s, %j is %s', (body, operation, made) => {
  expect(operate(body, operation)).toBe(made)
})

test.each([
  ['{"a":1}', { op: 'test', path: '/a', value: 2 }, 'operation 0 (test "/a"): the value there is another one'],
  ['{"a":1}', { op: 'replace', path: '/b', value: 2 }, 'there is nothing'],
  ['{"a":1}', { op: 'add', path: '/b/c', value: 2 }, 'there is nothing at "/b"'],
  ['{"a":[1]}', { op: 'add', path: '/a/2', value: 2 }, '"2" is no place in an array of 1'],
  ['{"a":[1]}', { op: 'add', path: '/a/01', value: 2 }, '"01" is no place'],
  ['{"a":1}', { op: 'add', path: '/a/b', value: 2 }, 'neither an object nor an array'],
  ['{"a":{}}', { op: 'move', from: '/a', path: '/a/b' }, 'into itself'],
  ['{"a":1}', { op: 'remove', path: '/toString' }, 'there is nothing'],
  ['not JSON', { op: 'remove', path: '/a' }, 'the body is not JSON'],
  ['{"id":12345678901234567891}', { op: 'add', path: '/a', value: 1 }, 'too many digits'],
])('%s, %j is refused: %s', (body, operation, why) => {
  expect(() => operate(body, operation)).toThrow(why)
})

test.each([
  // RFC 7396, appendix A.
  ['{"a":"b"}', { a: 'c' }, '{"a":"c"}'],
  ['{"a":"b"}', { b: 'c' }, '{"a":"b","b":"c"}'],
  ['{"a":"b"}', { a: null }, '{}'],
  ['{"a":["b"]}', { a: 'c' }, '{"a":"c"}'],
  ['{"a":{"b":"c"}}', { a: { b: 'd', c: null } }, '{"a":{"b":"d"}}'],
  ['["a","b"]', ['c', 'd'], '["c","d"]'],
  ['{"a":"b"}', null, 'null'],
  ['{"e":null}', { a: 1 }, '{"e":null,"a":1}'],
  ['[1,2]', { a: 'b', c: null }, '{"a":"b"}'],
  ['{}', { a: { bb: { ccc: null } } }, '{"a":{"bb":{}}}'],
])('%s merged with %j is %s', (body, value, made) => {
  expect(merge(body, value)).toBe(made)
})

test('members with the names of what objects are made of are members like any other', () => {
  const hostile = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as Json
  expect(merge('{}', hostile)).toBe(JSON.stringify(hostile))
  expect(operate('{}', { op: 'add', path: '/__proto__', value: { polluted: true } })).toBe(
    '{"__proto__":{"polluted":true}}',
  )
  expect(() => operate('{}', { op: 'add', path: '/__proto__/polluted', value: true })).toThrow('there is nothing')
  expect(() => operate('{}', { op: 'add', path: '/constructor/prototype/polluted', value: true })).toThrow('nothing')
  expect(operate('{"__proto__":1}', { op: 'remove', path: '/__proto__' })).toBe('{}')
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test('copies of copies fill no memory, and nothing is nested deeper than the stack holds', () => {
  const begun = performance.now()
  const wide = Array.from({ length: 100 }, (_, n) => ({ op: 'copy', from: '', path: `/x${n}` }))
  expect(() => operate('{"a":[1,2,3]}', ...wide)).toThrow('too large, or nested too deep')
  expect(performance.now() - begun).toBeLessThan(5_000)
})

test.each([
  ['{"a":12345678901234567890}', '12345678901234567890'],
  ['[1e999]', '1e999'],
  ['[0.1234567890123456789012]', '0.1234567890123456789012'],
  ['[9007199254740993]', '9007199254740993'],
  ['{"a":"12345678901234567890","b\\"":[1,-2.50,1e3,0,0.0,9007199254740991,0.30000000000000004]}', null],
  ['[100000000000000000000, 1.7976931348623157e308, 1e-400]', '1e-400'],
  ['[100000000000000000000]', null],
])('%s holds the inexact number %s', (json, found) => {
  expect(inexactNumber(json)).toBe(found ?? null)
})

test('the differences of two objects, as operations, lead from one to the other', () => {
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.constant(null))
  const object = fc.dictionary(fc.string(), fc.oneof(leaf, fc.dictionary(fc.string(), leaf)))
  fc.assert(
    fc.property(object, object, (one, other) => {
      const [before, after] = [JSON.stringify(one), JSON.stringify(other)]
      const operations = differences(JSON.parse(before) as Json, JSON.parse(after) as Json, 1_000).map((found) =>
        found.after === undefined
          ? { op: 'remove', path: found.path }
          : { op: 'add', path: found.path, value: found.after },
      )
      expect(JSON.parse(operate(before, ...operations))).toEqual(JSON.parse(after))
    }),
    { numRuns: 50 },
  )
})
