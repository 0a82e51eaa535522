import { MutationObserver, QueryClient } from '@tanstack/react-query'
import { expect, test } from 'vitest'
import { openAges } from '../../console/src/api/ages.ts'
import { switching } from '../../console/src/pages/topology/actions/switch.ts'

interface Topology {
  readonly name: string
  readonly paused: boolean
  readonly enabled: boolean
}

const key = ['topology', 'orders']
const orders: Topology = { name: 'orders', paused: false, enabled: true }

/** Settled when the test says so. */
function laterAnswer() {
  let say = { yes: (): void => undefined, no: (_: Error): void => undefined }
  const promise = new Promise<void>((yes, no) => (say = { yes, no }))
  return { promise, yes: () => say.yes(), no: (why: string) => say.no(new Error(why)) }
}

function knownClient(): QueryClient {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  client.setQueryData<Topology>(key, orders)
  return client
}

/** A switch whose engine answers when it is told to, and what was told of it. */
function switchOf(client: QueryClient, name: 'paused' | 'enabled', answer: Promise<void>, again = Promise.resolve()) {
  const told: string[] = []
  const options = switching<Topology>(client, {
    shownBy: key,
    show: (known, isOn) => ({ ...known, [name]: isOn }),
    takeBack: (known, before) => ({ ...known, [name]: before[name] }),
    set: () => answer,
    done: (isOn) => void told.push(`done ${isOn}`),
    refused: ({ message }, isOn) => void told.push(`refused ${isOn}: ${message}`),
    again: () => {
      told.push('again')
      return again
    },
  })
  return { told, set: (isOn: boolean) => new MutationObserver(client, options).mutate(isOn) }
}

test('a switch shows at once what it is set to, before the engine has said yes', async () => {
  const client = knownClient()
  const answer = laterAnswer()
  const { told, set } = switchOf(client, 'paused', answer.promise)
  const setting = set(true)
  await expect.poll(() => client.getQueryData(key)).toEqual({ ...orders, paused: true })
  expect(told).toEqual([])
  answer.yes()
  await setting
  expect(told).toEqual(['done true', 'again'])
})

test('a switch can be set anew once the engine has answered, though what it changed is still being read', async () => {
  const { told, set } = switchOf(knownClient(), 'paused', Promise.resolve(), new Promise<void>(() => undefined))
  await set(true)
  await set(false)
  expect(told).toEqual(['done true', 'again', 'done false', 'again'])
})

test('a switch that is refused is shown as it was, with the reason, and looked at anew', async () => {
  const client = knownClient()
  const { told, set } = switchOf(client, 'paused', Promise.reject(new Error('it is being deleted')))
  await expect(set(true)).rejects.toThrow('it is being deleted')
  expect(client.getQueryData(key)).toEqual(orders)
  expect(told).toEqual(['refused true: it is being deleted', 'again'])
})

test('a switch that is refused takes back itself, and no other that was set after it', async () => {
  const client = knownClient()
  const [refusal, consent] = [laterAnswer(), laterAnswer()]
  const pausing = switchOf(client, 'paused', refusal.promise).set(true)
  const disabling = switchOf(client, 'enabled', consent.promise).set(false)
  await expect.poll(() => client.getQueryData(key)).toEqual({ ...orders, paused: true, enabled: false })
  refusal.no('no')
  await expect(pausing).rejects.toThrow('no')
  expect(client.getQueryData(key)).toEqual({ ...orders, enabled: false })
  consent.yes()
  await disabling
})

test('what was read anew while the engine was told stays when it refuses', async () => {
  const client = knownClient()
  const refusal = laterAnswer()
  const pausing = switchOf(client, 'paused', refusal.promise).set(true)
  await expect.poll(() => client.getQueryData<Topology>(key)?.paused).toBe(true)
  const read = { ...orders, name: 'renamed', paused: true }
  await client.query({ queryKey: key, queryFn: () => read })
  refusal.no('somebody else has paused it')
  await expect(pausing).rejects.toThrow()
  expect(client.getQueryData(key)).toEqual(read)
})

test('what can’t be read anew is no newer after a click, nor after that is taken back', async () => {
  const client = knownClient()
  const ageOf = openAges(client.getQueryCache())
  await client.invalidateQueries()
  const away = client.query({ queryKey: key, queryFn: () => Promise.reject(new Error('away')) })
  await expect(away).rejects.toThrow('away')
  const state = () => {
    const query = client.getQueryCache().find({ queryKey: key })
    return query && { age: ageOf(query), error: query.state.error, updated: query.state.dataUpdatedAt }
  }
  const before = state()
  const refusal = laterAnswer()
  const pausing = switchOf(client, 'paused', refusal.promise).set(true)
  await expect.poll(() => client.getQueryData<Topology>(key)?.paused).toBe(true)
  expect(state()).toEqual(before)
  refusal.no('no')
  await expect(pausing).rejects.toThrow('no')
  expect(client.getQueryData(key)).toEqual(orders)
  expect(state()).toEqual(before)
})
