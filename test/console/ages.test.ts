import { QueryClient, QueryObserver } from '@tanstack/react-query'
import type { QueryKey } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openAges } from '../../console/src/api/ages.ts'
import type { AgeOf } from '../../console/src/api/ages.ts'
import { keys } from '../../console/src/api/keys.ts'
import { failingOf, untoldSince } from '../../console/src/live/shown.ts'

const began = Date.parse('2026-03-01T10:00:00Z')
let client: QueryClient
let ageOf: AgeOf
let isAway = false
let stops: (() => void)[] = []

beforeEach(() => {
  vi.useFakeTimers({ now: began })
  isAway = false
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  ageOf = openAges(client.getQueryCache())
})
afterEach(() => {
  for (const stop of stops) stop()
  stops = []
  client.clear()
  vi.useRealTimers()
})

const answer = () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve('answer'))

async function lookAt(queryKey: QueryKey): Promise<void> {
  const observer = new QueryObserver(client, { queryKey, queryFn: answer })
  stops.push(observer.subscribe(() => undefined))
  await vi.advanceTimersByTimeAsync(0)
}

/** After some minutes something happens, and it can't be asked for again. */
async function failAfter(minutes: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(minutes * 60_000)
  isAway = true
  await client.invalidateQueries()
}

const failing = () => failingOf(client.getQueryCache())

test('what can’t be asked for again is old since an event said so, not since it was read', async () => {
  await lookAt(['runs'])
  expect(failing()).toEqual([])
  await failAfter(30)
  await failAfter(10)
  expect(failing().map((query) => [query.queryKey, (ageOf(query) - began) / 60_000])).toEqual([[['runs'], 30]])
  isAway = false
  await client.refetchQueries()
  expect(failing()).toEqual([])
  await failAfter(5)
  expect(failing().map((query) => (ageOf(query) - began) / 60_000)).toEqual([45])
})

test('what is asked for by the clock is as old as its last answer', async () => {
  await lookAt(['figures'])
  await vi.advanceTimersByTimeAsync(60_000)
  isAway = true
  await client.refetchQueries()
  expect(failing().map(ageOf)).toEqual([began])
})

test('what nobody looks at, was never answered, or is the login, is no part of the page', async () => {
  await lookAt(['left'])
  stops.pop()?.()
  await lookAt(['session'])
  isAway = true
  await lookAt(['never'])
  await failAfter(1)
  expect(failing()).toEqual([])
})

const minutesUntold = (awaySince: number): number => (untoldSince(client.getQueryCache(), awaySince) - began) / 60_000

test('a page that was opened after events broke off is as old as its oldest answer, one that was open before as that', async () => {
  await lookAt(['session'])
  await vi.advanceTimersByTimeAsync(20 * 60_000)
  await lookAt(['runs'])
  await vi.advanceTimersByTimeAsync(60_000)
  await lookAt(['audit'])
  expect(minutesUntold(began + 10 * 60_000)).toBe(20)
  expect(minutesUntold(began + 30 * 60_000)).toBe(30)
})

test('what was told of queues before events broke off is old since then, also on a page that was opened later', async () => {
  client.setQueryData(keys.depths, {})
  stops.push(new QueryObserver(client, { queryKey: keys.depths, enabled: false }).subscribe(() => undefined))
  await vi.advanceTimersByTimeAsync(20 * 60_000)
  await lookAt(['runs'])
  expect(minutesUntold(began + 10 * 60_000)).toBe(20)
  client.setQueryData(keys.depths, { t: {} }, { updatedAt: began + 60_000 })
  expect(minutesUntold(began + 10 * 60_000)).toBe(10)
})

test('a page that shows nothing that was answered is not old', () => {
  expect(untoldSince(client.getQueryCache(), began)).toBe(Infinity)
})
