import { expect, test } from 'vitest'
import { bodyFaultOf, keyFaultOf, noEntry, wayOf } from '../../console/src/pages/topology/actions/given.ts'

const nothing = { node: 'start', body: '', tenant: '', key: '' }

test('a body that is typed goes to the entry as it is, and never is left out', () => {
  const body = '{"id": 12345678901234567890} '
  expect(wayOf({ ...nothing, body })).toEqual({ node: 'start', body })
  expect(() => wayOf({ ...nothing, node: null, body })).toThrow(noEntry)
  expect(wayOf({ ...nothing, node: null, body: ' \n' })).toEqual({ node: null, body: null })
})

test('why a body can’t be sent is told where it is typed', () => {
  expect(bodyFaultOf({ ...nothing, node: null, body: '{}' })).toBe(noEntry)
  expect(bodyFaultOf({ ...nothing, body: '{' })).toMatch(/^This is no JSON/)
  expect(bodyFaultOf({ ...nothing, body: '{}' })).toBe(null)
  expect(bodyFaultOf({ ...nothing, node: null })).toBe(null)
})

test('a key that goes as a header has to fit one', () => {
  expect(keyFaultOf({ ...nothing, body: '{}', key: 'ž' })).not.toBe(null)
  expect(keyFaultOf({ ...nothing, key: 'ž' })).toBe(null)
})
