import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { oldestNats, olderThan } from '../../runtime/queue/connection.ts'
import { compose, composeText, healthUrl, ours, service } from './compose-file.ts'

const examples = readFileSync('.env.example', 'utf8')
const variables = [...composeText.matchAll(/\$\{(\w+)([^}]*)\}/g)].map(([, name = '', rest = '']) => ({ name, rest }))
const secrets = variables.filter(({ name }) => /PASSWORD|TOKEN|KEY/.test(name))

test('compose.yaml has the queues, the tables, the roles and workers', () => {
  expect(Object.keys(compose.services)).toEqual(
    expect.arrayContaining(['nats', 'postgres', 'migrate', 'control', 'bridge']),
  )
  expect(service('bridge').deploy?.replicas).toBe(2)
})

test('every secret comes from the environment and has no default', () => {
  expect(secrets.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['POSTGRES_PASSWORD', 'SLUICE_ADMIN_TOKEN', 'SLUICE_SECRET_KEY']),
  )
  expect(secrets.filter(({ rest }) => !rest.startsWith(':?'))).toEqual([])
})

test('what looks like a secret in a service is a variable', () => {
  const values = Object.values(compose.services).flatMap(({ environment }) => Object.entries(environment ?? {}))
  const literal = values.filter(([name, value]) => /PASSWORD|TOKEN|KEY|SECRET/.test(name) && !/^\$\{\w+:\?/.test(value))
  const inUrl = values.filter(([, value]) => /:\/\/[^:@/]+:(?!\$\{)[^@/]*@/.test(value))
  expect([...literal, ...inUrl]).toEqual([])
})

test('.env.example names exactly the required variables, and gives none a value', () => {
  const named = [...examples.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => ({ name, value }))
  const required = variables.filter(({ rest }) => rest.startsWith(':?')).map(({ name }) => name)
  expect(named.map(({ name }) => name).toSorted()).toEqual([...new Set(required)].toSorted())
  expect(named.filter(({ value }) => value !== '')).toEqual([])
})

test('all roles run one image, which is built here', () => {
  expect(new Set(ours.map(([, { image, build }]) => `${image} from ${build}`)).size).toBe(1)
  expect(ours.map(([name]) => name)).toEqual(expect.arrayContaining(['migrate', 'control', 'bridge']))
})

test('the nats image is a version that the engine accepts', () => {
  const version = /^nats:(\d+\.\d+\.\d+)-alpine$/.exec(service('nats').image)?.[1] ?? 'none'
  expect(olderThan(version, oldestNats)).toBe(false)
})

test('only control has a port outside, and only on this machine', () => {
  const published = Object.entries(compose.services).flatMap(([name, { ports }]) => (ports ?? []).map((p) => [name, p]))
  expect(published).toEqual([['control', '127.0.0.1:8484:8484']])
})

test('queues and tables are out of reach for workers and for the world', () => {
  expect(compose.networks.queues?.internal).toBe(true)
  expect(compose.networks.tables?.internal).toBe(true)
  const on = (network: string): string[] =>
    Object.entries(compose.services).flatMap(([name, { networks }]) => (networks?.includes(network) ? [name] : []))
  expect(on('queues')).toEqual(['nats', 'control', 'bridge'])
  expect(on('tables')).toEqual(['postgres', 'migrate', 'control'])
})

test('what serves is checked at the port that it is told', () => {
  for (const name of ['control', 'bridge', 'sample-worker']) {
    expect(service(name).command).toContain(healthUrl(name).port)
    expect(service(name).healthcheck?.test.slice(0, 3)).toEqual(['CMD', 'node', '-e'])
  }
})

test('the control port that is published is the one that it listens on', () => {
  expect(service('control').ports?.[0]?.split(':').at(-1)).toBe(healthUrl('control').port)
})

test('everything comes back after a crash, and starts after what it needs', () => {
  expect(Object.values(compose.services).map(({ restart }) => restart)).not.toContain(undefined)
  const [healthy, done] = [{ condition: 'service_healthy' }, { condition: 'service_completed_successfully' }]
  expect(service('control').depends_on).toEqual({ nats: healthy, migrate: done })
  expect(service('bridge').depends_on).toEqual({ nats: healthy })
  expect(service('migrate').depends_on).toEqual({ postgres: healthy })
})

test('a health check is one command of the image, with its script unharmed by YAML', () => {
  for (const [name, { healthcheck }] of Object.entries(compose.services)) {
    const parts = healthcheck?.test ?? []
    expect(
      parts.filter((part) => typeof part !== 'string' || /\$(?!\$)/.test(part)),
      name,
    ).toEqual([])
  }
})
