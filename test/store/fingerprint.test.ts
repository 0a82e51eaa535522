import { expect, test } from 'vitest'
import { fingerprint, normalisedTitle } from '../../runtime/store/fingerprint.ts'
import { decryptSecret, encryptSecret } from '../../runtime/secrets.ts'

test.each([
  ['Order 17 not found', 'Order 90210 not found'],
  ['customer "Ann" has no address', 'customer "Bob" has no address'],
  ["field 'zip' is too long", "field 'city' is too long"],
  ['no row 6f1c2a4e-8d3b-4c8e-9a7f-0123456789ab', 'no row 0a1b2c3d-8d3b-4c8e-9a7f-ba9876543210'],
  ['closed since 2026-03-01', 'closed since 2025-12-24T18:00:00Z'],
  ['timeout after 30.5 s', 'Timeout after  9 s'],
  ['GET https://a.example/1 failed', 'GET https://b.example/x?y=2 failed'],
  ['no mailbox ann@example.com', 'no mailbox bob.smith@mail.example.org'],
])('"%s" and "%s" are the same failure', (one, other) => {
  expect(normalisedTitle(one)).toBe(normalisedTitle(other))
})

test('an apostrophe is no quote', () => {
  expect(normalisedTitle("can't reach the shop, won't try")).toBe("can't reach the shop, won't try")
})

test('another node, type, status or wording is another failure', () => {
  const problem = { type: 'about:blank', title: 'Not found', status: 404 }
  const prints = [
    fingerprint('a', problem),
    fingerprint('b', problem),
    fingerprint('a', { ...problem, type: 'urn:x' }),
    fingerprint('a', { ...problem, status: 410 }),
    fingerprint('a', { ...problem, title: 'Gone' }),
  ]
  expect(new Set(prints).size).toBe(5)
  expect(prints.every((print) => /^[0-9a-f]{16}$/.test(print))).toBe(true)
})

test('a secret comes back with its key only', () => {
  const secret = encryptSecret('key number one', 'whsec_ž')
  expect(decryptSecret('key number one', secret)).toBe('whsec_ž')
  expect(() => decryptSecret('key number two', secret)).toThrow(/another key/)
  expect(() => decryptSecret('key number one', `${secret.slice(0, -4)}AAAA`)).toThrow(/another key/)
  expect(() => decryptSecret('key number one', 'plain')).toThrow(/isn't a secret/)
})

test('the same secret is never encrypted alike twice', () => {
  expect(encryptSecret('key', 'text')).not.toBe(encryptSecret('key', 'text'))
})
