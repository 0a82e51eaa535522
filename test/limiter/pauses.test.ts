import { inject, onTestFinished, expect, test } from 'vitest'
import { newId } from '../../runtime/ids.ts'
import { Pauses } from '../../runtime/limiter/pauses.ts'
import type { Limited, LimitKey } from '../../runtime/queue/limits/told.ts'
import { openQueues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'

const key: LimitKey = { kind: 'service', service: 'geo', who: null, isOwn: false }
const now = Date.parse('2026-03-01T10:00:00Z')

/** As a bridge was asked to wait for so many seconds. */
const askedFor = (seconds: number, times = 1): Limited => ({
  ...{ key, at: new Date(now).toISOString(), retryAfterMs: seconds * 1_000, times },
  until: new Date(now + seconds * 1_000).toISOString(),
})

test('a bridge that was asked to wait for longer is told of shorter waits, and goes on waiting', () => {
  const pauses = new Pauses(() => now)
  for (const seconds of [60, 2, 30]) pauses.set('geo', askedFor(seconds))
  expect(pauses.until('geo')).toBe(now + 60_000)
  pauses.set('geo', askedFor(90))
  expect(pauses.until('geo')).toBe(now + 90_000)
  pauses.set('geo', null)
  expect(pauses.until('geo')).toBe(0)
})

test('a wait that was lifted is over whatever was told before it, late or twice, until the service asks anew', () => {
  const pauses = new Pauses(() => now)
  const lifted: Limited = { ...askedFor(60), until: askedFor(60).at, lifted: true }
  pauses.set('geo', askedFor(60))
  pauses.set('geo', lifted)
  for (const seconds of [60, 90]) pauses.set('geo', askedFor(seconds))
  expect(pauses.until('geo')).toBe(now)
  const anew = { ...askedFor(30), at: new Date(now + 1).toISOString() }
  pauses.set('geo', anew)
  // What was lifted says nothing of what was asked later.
  pauses.set('geo', lifted)
  expect(pauses.until('geo')).toBe(now + 30_000)
})

test('a lifted wait is kept as such, and what a bridge tells late of it is not', async () => {
  const { signal } = new AbortController()
  const namespace = `t_${newId()}`
  const queues = await openQueues({ url: inject('natsUrl'), name: 'test', namespace, replicas: 1, log: silentLog })
  onTestFinished(() => queues.close())
  const at = new Date().toISOString()
  const asked = { ...askedFor(60), at, until: new Date(Date.now() + 60_000).toISOString() }
  await queues.limits.tell('geo', asked, signal)
  expect(await queues.limits.lift(() => false)).toEqual([])
  expect(await queues.limits.lift((one) => one.kind === 'service')).toEqual([asked])
  await queues.limits.tell('geo', asked, signal)
  const kept = async () => (await queues.limits.limited()).get('geo')
  expect(await kept()).toEqual({ ...asked, until: at, lifted: true })
  expect(await queues.limits.lift(() => true)).toEqual([])
  const anew = { ...asked, at: new Date(Date.parse(at) + 1).toISOString() }
  await queues.limits.tell('geo', anew, signal)
  expect(await kept()).toEqual(anew)
})

test('of what several bridges were asked for the longest wait is kept, whoever tells it last', async () => {
  const namespace = `t_${newId()}`
  const queues = await openQueues({ url: inject('natsUrl'), name: 'test', namespace, replicas: 1, log: silentLog })
  onTestFinished(() => queues.close())
  const { signal } = new AbortController()
  const kept = async () => (await queues.limits.limited()).get('geo')
  await Promise.all([5, 60, 2, 30].map((seconds, n) => queues.limits.tell('geo', askedFor(seconds, n + 1), signal)))
  expect((await kept())?.until).toBe(askedFor(60).until)
  await queues.limits.tell('geo', askedFor(10), signal)
  expect((await kept())?.until).toBe(askedFor(60).until)
  await queues.limits.tell('geo', askedFor(90), signal)
  expect(await kept()).toMatchObject({ until: askedFor(90).until, times: expect.any(Number) as number })
  expect(await queues.limits.forget(now + 60_000)).toBe(0)
  expect(await queues.limits.forget(now + 100_000)).toBe(1)
  expect(await kept()).toBeUndefined()
})
