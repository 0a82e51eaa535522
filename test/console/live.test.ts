import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { keys } from '../../console/src/api/keys.ts'
import { openEars } from '../../console/src/live/hear.ts'
import type { Ears } from '../../console/src/live/hear.ts'
import { eventKinds } from '../../console/src/live/kinds.ts'
import { failingOf } from '../../console/src/live/shown.ts'
import { backlogOf } from '../../console/src/pages/topologies/backlog.ts'
import { eventKinds as toldKinds } from '../../runtime/queue/events.ts'

let client: QueryClient
let ears: Ears

beforeEach(() => {
  vi.useFakeTimers()
  client = new QueryClient()
  ears = openEars(client)
})
afterEach(() => {
  ears.stop()
  client.clear()
  vi.useRealTimers()
})

const depth = (pending: number) => ({ pending, inFlight: 0, replies: 0 })
const depths = () => client.getQueryData(keys.depths)

/** Whether what was asked for is to be asked again. */
function isAskedAgain(key: readonly unknown[], event: () => void): boolean {
  client.setQueryData(key, [])
  event()
  return client.getQueryState(key)?.isInvalidated === true
}

test('the console hears every kind of event that the engine tells', () => {
  expect([...eventKinds]).toEqual([...toldKinds, 'queue'])
})

test('a topology has no backlog until it was told of, and none but zero when it was told to be empty', () => {
  expect(backlogOf(undefined)).toBe(null)
  ears.event('queue', { topologyId: 't', nodes: {}, whole: true })
  expect(depths()).toEqual({ t: {} })
  expect(backlogOf({})).toBe(0)
  expect(backlogOf({ a: depth(2), b: { pending: 1, inFlight: 4, replies: 8 } })).toBe(15)
})

test('changes of queues are added to what was told, at most twice a second; a whole one replaces it', () => {
  ears.event('queue', { topologyId: 't', nodes: { a: depth(1) }, whole: true })
  ears.event('queue', { topologyId: 't', nodes: { b: depth(2) } })
  ears.event('queue', { topologyId: 't', nodes: { b: depth(3) } })
  expect(depths()).toEqual({ t: { a: depth(1) } })
  vi.advanceTimersByTime(500)
  expect(depths()).toEqual({ t: { a: depth(1), b: depth(3) } })
  ears.event('queue', { topologyId: 't', nodes: { a: depth(9) } })
  ears.event('queue', { topologyId: 't', nodes: { b: depth(4) }, whole: true })
  vi.advanceTimersByTime(500)
  expect(depths()).toEqual({ t: { b: depth(4) } })
})

test('after a gap nothing is known of queues, also not what was about to be shown, and all is asked again but the login', () => {
  ears.event('queue', { topologyId: 't', nodes: { a: depth(1) }, whole: true })
  ears.event('queue', { topologyId: 't', nodes: { a: depth(2) } })
  for (const key of [['runs'], ['session']]) client.setQueryData(key, [])
  ears.gap()
  vi.advanceTimersByTime(1_000)
  expect(depths()).toEqual({})
  expect(client.getQueryState(['runs'])?.isInvalidated).toBe(true)
  expect(client.getQueryState(['session'])?.isInvalidated).toBe(false)
})

test('once events come again, what only queues keep in step is asked again, and nothing else that was answered', () => {
  const kept = [['audit', 'of all'], keys.topology('t'), ['session']]
  const moved = [keys.queues('t'), keys.why('t', 'n'), keys.cursor('c'), keys.serviceState('shop'), keys.topologies]
  for (const key of [...kept, ...moved]) client.setQueryData(key, [])
  client.setQueryData(keys.run('r'), { run: { topologyId: 't', state: 'running' } })
  const asked: unknown[] = []
  client.getQueryCache().subscribe(({ type, query, ...rest }) => {
    if (type === 'updated' && 'action' in rest && rest.action.type === 'invalidate') asked.push(query.queryKey)
  })
  ears.back()
  expect(new Set(asked)).toEqual(new Set([...moved, keys.run('r')]))
})

test('what failed and is looked at is answered once events come again, and is not old any more', async () => {
  let isAway = false
  const queryFn = () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve('answer'))
  const observer = new QueryObserver(client, { queryKey: ['audit'], queryFn, retry: false })
  const stop = observer.subscribe(() => undefined)
  await vi.advanceTimersByTimeAsync(0)
  isAway = true
  await client.refetchQueries()
  expect(failingOf(client.getQueryCache())).toHaveLength(1)
  isAway = false
  ears.back()
  await vi.advanceTimersByTimeAsync(0)
  expect(failingOf(client.getQueryCache())).toEqual([])
  stop()
})

test('an empty topology that is told of for the first time has nothing asked again', () => {
  const empty = (): void => ears.event('queue', { topologyId: 't', nodes: {}, whole: true })
  expect(isAskedAgain(keys.queues('t'), empty)).toBe(false)
})

test('a topology that was emptied while nothing was heard has what waited there asked again, and once more when it is settled', () => {
  ears.event('queue', { topologyId: 't', nodes: { a: depth(29) }, whole: true })
  vi.advanceTimersByTime(60_000)
  const empty = (): void => ears.event('queue', { topologyId: 't', nodes: {}, whole: true })
  const asked = [keys.queues('t'), keys.why('t', 'a'), keys.serviceState('shop'), keys.cursors()]
  for (const key of asked) client.setQueryData(key, [])
  empty()
  expect(asked.map((key) => client.getQueryState(key)?.isInvalidated)).toEqual([true, true, true, true])
  client.setQueryData(keys.queues('t'), [])
  vi.advanceTimersByTime(10_000)
  expect(client.getQueryState(keys.queues('t'))?.isInvalidated).toBe(true)
  expect(isAskedAgain(keys.queues('t'), empty)).toBe(false)
})

test('what is about to be shown of a topology counts: it was not empty', () => {
  ears.event('queue', { topologyId: 't', nodes: {}, whole: true })
  ears.event('queue', { topologyId: 't', nodes: { a: depth(1) } })
  expect(depths()).toEqual({ t: {} })
  vi.advanceTimersByTime(499)
  client.setQueryData(keys.queues('t'), [])
  ears.event('queue', { topologyId: 't', nodes: {}, whole: true })
  vi.advanceTimersByTime(2_000)
  expect(client.getQueryState(keys.queues('t'))?.isInvalidated).toBe(true)
})

test.each([
  ['queue', keys.why('t', 'n'), true],
  ['queue', keys.why('u', 'n'), false],
  ['pause', keys.why('t', 'n'), true],
  ['service', keys.services('shop'), true],
  ['service', keys.serviceState('shop'), true],
  ['token', keys.tokens(), true],
  ['watermark', keys.watermark('w', 'history'), true],
  ['cursor', keys.cursor('c'), true],
  ['cursor', keys.watermarks(), false],
  ['worker', keys.workers(), true],
  ['plan', keys.queues('u'), false],
  ['trash', keys.messages, false],
] as const)('%s: %j is asked again: %s', (kind, key, isAsked) => {
  const event = (): void => ears.event(kind, { topologyId: 't', nodes: { n: depth(1) } })
  expect(isAskedAgain(key, event)).toBe(isAsked)
})

test('an edit of a message has that one asked again, and no other', () => {
  const event = (): void => ears.event('trash', { topologyId: 't', added: {}, settled: 0, edited: 'x1' })
  client.setQueryData(keys.message('x2'), [])
  expect(isAskedAgain(keys.message('x1'), event)).toBe(true)
  expect(client.getQueryState(keys.message('x2'))?.isInvalidated).toBe(false)
})

test('figures of a run that goes on are asked for again when queues of its topology move, those of others aren’t', () => {
  const ran = (topologyId: string, state: string) => [{ topologyId, state }]
  client.setQueryData(['runs', 'own'], ran('t', 'running'))
  client.setQueryData(['runs', 'ended'], ran('t', 'finished'))
  client.setQueryData(['runs', 'other'], ran('u', 'running'))
  ears.event('queue', { topologyId: 't', nodes: { a: depth(1) } })
  const asked = ['own', 'ended', 'other'].filter((name) => client.getQueryState(['runs', name])?.isInvalidated)
  expect(asked).toEqual(['own'])
})

test('floods of events ask at most every two seconds', () => {
  const event = (): void => ears.event('run', { topologyId: 't', runId: 'r', state: 'running' })
  expect(isAskedAgain(keys.run('r'), event)).toBe(true)
  expect(isAskedAgain(keys.run('r'), event)).toBe(false)
  vi.advanceTimersByTime(2_000)
  expect(client.getQueryState(keys.run('r'))?.isInvalidated).toBe(true)
})
