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
  ['closed since Sun, 01 Mar 2026 10:00:00 GMT', 'closed since Thu, 24 Dec 2025 08:30:01 GMT'],
  ['due on 1. March 2026', 'due on 24. December 2025'],
  ['due on Mar 1, 2026', 'due on December 24, 2025'],
  ['at 10:05:33.120 it was full', 'at 23:59 it was full'],
  ['took −5 of 1,000.50', 'took −17 of 3'],
  ['„Brno“ has no zip', '„Praha“ has no zip'],
  ['host 10.0.0.7:5432 is away', 'host 192.168.1.20:80 is away'],
  ['host fe80::1ff:fe23 is away', 'host 2001:db8::a is away'],
  ['at 0xdeadbeef', 'at 0x1f'],
  ['no order 01K2X3V9Q8F7H6J5', 'no order 7HZZ0AB12CD3EF45'],
  ['no mailbox ann@example.com', 'no mailbox bob.smith@mail.example.org'],
])('"%s" and "%s" are the same failure', (one, other) => {
  expect(normalisedTitle(one)).toBe(normalisedTitle(other))
})

test('an apostrophe is no quote', () => {
  expect(normalisedTitle("can't reach the shop, won't try")).toBe("can't reach the shop, won't try")
})

test.each([
  ['quotes', '"'.repeat(1_000_000)],
  ['apostrophes', "a'".repeat(500_000)],
  ['an address without end', `${'a.'.repeat(500_000)}@`],
  ['digits', '1'.repeat(1_000_000)],
  ['dates', '2026-03-01T'.repeat(100_000)],
  ['colons', 'a:'.repeat(500_000)],
  ['spaces', ' '.repeat(1_000_000)],
  ['letters and digits', 'a1'.repeat(500_000)],
  ['months', 'Sun, 1 '.repeat(150_000)],
])('a title of a megabyte of %s takes no time', (_, title) => {
  const begun = performance.now()
  expect(normalisedTitle(title).length).toBeLessThanOrEqual(1_000)
  // A pattern that goes back over what it has read would take hours.
  expect(performance.now() - begun).toBeLessThan(2_000)
})

test('what is quoted where a title is cut off is left out, however much of it is there', () => {
  const said = 'x '.repeat(400)
  expect(normalisedTitle(`${said}"${'a'.repeat(400)}"`)).toBe(normalisedTitle(`${said}"${'b'.repeat(9_000)}"`))
})

test('words are kept: what they say is what failed', () => {
  for (const title of ['utf8 expected', 'may fail', 'std::vector is empty', 'a: b: c', 'no march of time'])
    expect(normalisedTitle(title)).toMatch(/[a-z]/)
  expect(normalisedTitle('std::vector is empty')).toBe('std::vector is empty')
  expect(normalisedTitle('A: b: c')).toBe('a: b: c')
  expect(normalisedTitle('it may fail in march')).toBe('it may fail in march')
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
