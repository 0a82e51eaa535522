import { expect, test } from 'vitest'
import { Invalid } from '../../runtime/errors.ts'
import { optionTable, resolveOptions } from '../../runtime/options.ts'

function faultsOf(work: () => unknown): readonly { path: string; message: string }[] {
  try {
    work()
  } catch (error) {
    if (error instanceof Invalid) return error.errors
  }
  return []
}

test.each([
  { flags: { port: '1' }, environment: { SLUICE_PORT: '2' }, port: 1 },
  { flags: {}, environment: { SLUICE_PORT: '2' }, port: 2 },
  { flags: {}, environment: { SLUICE_PORT: '' }, port: 8484 },
  { flags: {}, environment: {}, port: 8484 },
])('a flag wins over a variable, which wins over the default: $port', ({ flags, environment, port }) => {
  expect(resolveOptions('dev', { flags, environment }).port).toBe(port)
})

test('the defaults of dev need nothing from outside', () => {
  expect(resolveOptions('dev', { flags: {}, environment: {} })).toEqual({
    data: '.sluiceway',
    port: 8484,
    host: '127.0.0.1',
    namespace: 'sluice',
    replicas: 1,
    historyMs: 900_000,
    graceMs: 10_000,
    highWater: 10_000,
    historyMaxBytes: 4_294_967_296,
    maxMessages: 1_000_000,
    maxBytes: 10_737_418_240,
    maxUploads: 64,
    auditDays: 365,
    runsKeepDays: 90,
    trashKeepDays: 30,
    sessionIdleMs: 7_200_000,
    sessionMaxMs: 43_200_000,
    failuresPerMinute: 20,
    trustedProxies: [],
    logLevel: 'info',
  })
})

test('all faults come in one error, each with its flag, its variable and what was found', () => {
  const flags = { port: '70000', replicas: '2', natsUrl: 'http://x' }
  const faults = faultsOf(() => resolveOptions('control', { flags, environment: {} }, ['postgresUrl']))
  expect(faults.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    '--postgres-url (SLUICE_POSTGRES_URL): is needed: Postgres database, 15 or newer',
    '--nats-url (SLUICE_NATS_URL): expected a URL such as nats://127.0.0.1:4222',
    '--port (SLUICE_PORT): expected a whole number from 0 to 65535; found "70000"',
    '--replicas (SLUICE_REPLICAS): expected 1, 3 or 5; found "2"',
  ])
})

test('trusted proxies are addresses and networks, with commas', () => {
  const resolved = (text: string) => resolveOptions('control', { flags: { trustedProxies: text }, environment: {} })
  expect(resolved('10.0.0.7, 10.1.0.0/16,fd00::/8').trustedProxies).toEqual(['10.0.0.7', '10.1.0.0/16', 'fd00::/8'])
  for (const text of ['proxy', '10.0.0', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.7,,', '*'])
    expect([text, faultsOf(() => resolved(text))[0]?.message]).toEqual([
      text,
      expect.stringMatching(/^expected addresses and networks with commas, such as .*" is neither; found /),
    ])
})

test.each(['1', '2', '36501'])(
  'runs are kept for three days at least, or for ever: %s days are refused',
  (runsKeepDays) => {
    const kept = (days: string) =>
      resolveOptions('control', { flags: { runsKeepDays: days }, environment: {} }).runsKeepDays
    expect(['0', '3', '36500'].map(kept)).toEqual([0, 3, 36_500])
    expect(faultsOf(() => kept(runsKeepDays))[0]?.message).toMatch(/^expected /)
  },
)

test('a secret, or a URL that may hold one, is never repeated', () => {
  const environment = { SLUICE_SECRET_KEY: 'short', SLUICE_ADMIN_TOKEN: 'sh ort', SLUICE_POSTGRES_URL: 'pg://u:pw@h' }
  const faults = faultsOf(() => resolveOptions('control', { flags: {}, environment }))
  expect(faults).toHaveLength(3)
  expect(JSON.stringify(faults)).not.toMatch(/short|sh ort|pw@/)
})

test('NATS URLs of a cluster are given in one, separated by commas', () => {
  const natsUrl = 'nats://u:p@a:4222, tls://b:4222,nats://u:p@[::1]:4222'
  expect(resolveOptions('bridge', { flags: { natsUrl }, environment: {} }).natsUrl).toBe(natsUrl)
})

test.each([
  ['nats://a:4222,', 'the 2. of 2 is empty'],
  [',', 'the 1. of 2 is empty'],
  ['nats://a:4222,b:4222', 'the 2. of 2 is not a URL with nats:// or tls://'],
  ['ws://a:4222,nats://b', 'the 1. of 2 is not a URL with nats:// or tls://'],
  ['nats://a nats://b', 'expected a URL such as nats://127.0.0.1:4222'],
  ['nats://u:p@a,nats://v:p@b', 'the 2. URL has another user or password than the first, whose are used for all'],
])('the NATS URLs "%s" are refused: %s', (natsUrl, message) => {
  const [fault, ...more] = faultsOf(() => resolveOptions('bridge', { flags: { natsUrl }, environment: {} }))
  expect(fault?.message).toMatch(message)
  expect(fault?.message).not.toContain('u:p')
  expect(more).toEqual([])
})

test('a variable of an option that a command does not take is left alone', () => {
  expect(resolveOptions('migrate', { flags: {}, environment: { SLUICE_PORT: 'x' } })).toEqual({})
})

test('every variable and every flag is there once, and is named alike', () => {
  const variables = optionTable.map(({ variable }) => variable)
  expect(new Set(variables).size).toBe(variables.length)
  for (const { flag, variable } of optionTable.filter((row) => row.flag !== null))
    expect(flag).toMatch(
      new RegExp(`^--${variable.slice('SLUICE_'.length).toLowerCase().replaceAll('_', '-')} <\\w+>$`),
    )
})
