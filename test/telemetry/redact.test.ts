import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { newId } from '../../runtime/ids.ts'
import { createLog } from '../../runtime/telemetry/log.ts'
import { redact, withoutSecrets } from '../../runtime/telemetry/redact.ts'

test.each([
  ...['secret', 'token', 'password', 'passwd', 'authorization', 'Authorization', 'cookie', 'set-cookie', 'apiKey'],
  ...['api_key', 'x-api-key', 'adminToken', 'SLUICE_ADMIN_TOKEN', 'clientSecret', 'secretKey', 'credentials', 'tokens'],
])('the field %s is a secret, however deep it lies', (name) => {
  expect(redact({ a: [{ b: { [name]: 'hunter2' } }] })).toEqual({ a: [{ b: { [name]: '[redacted]' } }] })
  expect(redact({ [name]: { nested: 'hunter2' } })).toEqual({ [name]: '[redacted]' })
  for (const value of [null, true]) expect(redact({ [name]: value })).toEqual({ [name]: value })
})

test.each(['tokenId', 'partitionKey', 'key', 'idempotencyKey', 'topology', 'tokenizer'])(
  'the field %s is none',
  (name) => {
    expect(redact({ [name]: 'orders' })).toEqual({ [name]: 'orders' })
  },
)

test.each([
  ['refused slw_abcdefghijklmnopqrstuvwxyz0123456789', 'refused [redacted]'],
  ['cookie slws_abcdefghijklmnopqrstuvwxyz0123456789;', 'cookie [redacted];'],
  ['sent Authorization: Bearer abc.def-123456', 'sent Authorization: Bearer [redacted]'],
  ['Basic dXNlcjpwYXNz was sent', 'Basic [redacted] was sent'],
  ['postgres://sluice:hunter2@db:5432/x is away', 'postgres://sluice:[redacted]@db:5432/x is away'],
  ['nats://:hunter2@n1', 'nats://:[redacted]@n1'],
  ['http://shop:3000/a@b is fine', 'http://shop:3000/a@b is fine'],
  [
    'Failed query: insert $1\nparams: the body,\nof it\n    at f',
    'Failed query: insert $1\nparams: [redacted]\n    at f',
  ],
  ['Failed query: x\nparams: the body', 'Failed query: x\nparams: [redacted]'],
])('of "%s" the secret is left out', (text, clean) => {
  expect(withoutSecrets(text)).toBe(clean)
})

test('a hostile text costs no time', () => {
  const began = performance.now()
  for (const part of ['bearer ', 'a', '://', 'a:', '\nparams: ', 'slw_', '@', 'x://:'])
    withoutSecrets(part.repeat(50_000))
  expect(performance.now() - began).toBeLessThan(2_000)
})

test('a log has no secrets in messages, fields, fields of a part of the log, nor in errors', () => {
  const file = join(tmpdir(), `sluice-log-${newId()}`)
  onTestFinished(() => rmSync(file, { force: true }))
  const error = Object.assign(new Error('Bearer hunter2-hunter2'), {
    config: { headers: { authorization: 'hunter2' } },
  })
  const log = createLog('debug', file).with({ part: 'api', token: 'hunter2' })
  log.info('postgres://u:hunter2@h/d', { headers: { cookie: 'hunter2' }, error, at: new Date(0), none: null })
  log.debug('nothing more')
  const text = readFileSync(file, 'utf8')
  expect(text).not.toContain('hunter2')
  const [line] = text.split('\n').map((each) => (each === '' ? null : (JSON.parse(each) as Record<string, unknown>)))
  expect(line).toMatchObject({
    ...{ part: 'api', token: '[redacted]', msg: 'postgres://u:[redacted]@h/d', at: '1970-01-01T00:00:00.000Z' },
    error: { name: 'Error', message: 'Bearer [redacted]' },
  })
})

test('a field that holds itself ends somewhere', () => {
  const field: Record<string, unknown> = {}
  field.field = field
  expect(JSON.stringify(redact(field)).length).toBeLessThan(500)
})
