import { expect, onTestFinished, test } from 'vitest'
import { callWorker } from '../../runtime/call/call.ts'
import type { Called, Calling } from '../../runtime/call/call.ts'
import { openInstances } from '../../runtime/call/instances.ts'
import { Stopped } from '../../runtime/errors.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { Answer, FakeWorker, Seen } from '../support/fake-worker.ts'

/** Workers that answer when they are told to, and a way to call them. */
async function crew(count: number) {
  const arrived: string[] = []
  const waiting = new Map<string, (answer: Answer) => void>()
  const script = (request: Seen): Promise<Answer> => {
    arrived.push(request.id)
    return new Promise((resolve) => waiting.set(request.id, resolve))
  }
  const workers: FakeWorker[] = []
  for (let i = 0; i < count; i++) workers.push(await fakeWorker(script))
  const urls = workers.map(({ url }) => url)
  const address = { name: 'w', urls, dialect: 'native', version: 1, secret: null, timeoutMs: null } as const
  const changes: string[] = []
  const instances = await openInstances(address, { log: silentLog, onChange: (_, { state }) => changes.push(state) })
  const stop = new AbortController()
  onTestFinished(async () => {
    stop.abort()
    for (const answer of waiting.values()) answer({ status: 204 })
    await instances.close()
    for (const worker of workers) await worker.close()
  })
  const call = (message: string, more: Partial<Calling> = {}): Promise<Called> => {
    const request = () => ({ path: '/x', headers: ['ce-id', message], body: Buffer.from('1'), timeoutMs: 5_000 })
    const cut = new AbortController().signal
    const wait: Calling['wait'] = (waiting) => waiting(stop.signal)
    return callWorker(instances, { message, isSuspect: false, request, wait, mayCall: () => true, cut, ...more })
  }
  const answer = async (id: string, as: Answer = { status: 204 }): Promise<void> => {
    await eventually(`${id} is called`, () => waiting.has(id))
    waiting.get(id)?.(as)
    waiting.delete(id)
  }
  const here = (...ids: string[]) => eventually(`called: ${ids.join()}`, () => expect(arrived).toEqual(ids))
  return { instances, workers, changes, call, answer, here, stop }
}

const suspect = { isSuspect: true } as const

test('a suspect is called when the instance has no other call, and nobody else is called there before it is answered', async () => {
  const { call, answer, here } = await crew(1)
  const [one, s, two] = [call('one'), call('s', suspect), call('two')]
  await here('one')
  await answer('one')
  await one
  await here('one', 's')
  await answer('s')
  await s
  await here('one', 's', 'two')
  await answer('two')
  await two
})

test('between two suspects those get their turn who have waited', async () => {
  const { call, answer, here } = await crew(1)
  const all = [call('s1', suspect), call('s2', suspect), call('a'), call('b')]
  await here('s1')
  await answer('s1')
  await here('s1', 'a', 'b')
  await answer('a')
  const late = call('c')
  await answer('b')
  await here('s1', 'a', 'b', 's2')
  await answer('s2')
  await answer('c')
  await Promise.all([...all, late])
})

test('while a suspect has an instance to itself, the others go to another one', async () => {
  const { call, answer, workers } = await crew(2)
  const first = call('s', suspect)
  const others = ['a', 'b', 'c'].map((id) => call(id))
  for (const id of ['a', 'b', 'c', 's']) await answer(id)
  const [alone, ...rest] = (await Promise.all([first, ...others])).map(({ instance }) => instance)
  expect(rest).toEqual(Array.from({ length: 3 }, () => workers.find(({ url }) => url !== alone)?.url))
})

test('a suspect that goes away leaves its instance to the others', async () => {
  const { call, answer, here, instances } = await crew(1)
  const one = call('one')
  await here('one')
  const stop = new AbortController()
  const gone = instances.turn(true, stop.signal)
  const two = call('two')
  stop.abort()
  await expect(gone).rejects.toThrow(Stopped)
  await here('one', 'two')
  await answer('one')
  await answer('two')
  await Promise.all([one, two])
})

test('a call that must not be made any more after its wait is not made, and its place is free', async () => {
  const { call, answer, here } = await crew(1)
  const one = call('s', suspect)
  const [two, three] = [call('two', { mayCall: () => false }), call('three', suspect)]
  await answer('s')
  await one
  expect((await two).result.kind).toBe('held')
  await here('s', 'three')
  await answer('three')
  await three
})

test('who waits for an instance is told when the worker gets other addresses', async () => {
  const { instances, stop } = await crew(1)
  expect(instances.take(true)).not.toBeNull()
  const waiting = [instances.turn(false, stop.signal), instances.turn(true, stop.signal)]
  await instances.close()
  expect(await Promise.all(waiting)).toEqual([null, null])
})

test('lost connections of three messages open an instance; one node’s time-outs do not while it answers others', async () => {
  const { call, answer, changes, instances } = await crew(1)
  for (let i = 0; i < 8; i++) {
    const slot = instances.take(false)
    const other = call(`ok${i}`)
    await answer(`ok${i}`)
    await other
    if (slot !== null) instances.done(slot, { kind: 'timeout' }, `slow${i}`)
  }
  expect(changes).toEqual([])
  for (let i = 0; i < 20; i++) {
    const slot = instances.take(false)
    if (slot !== null) instances.done(slot, { kind: 'lost' }, `lost${i}`)
  }
  expect(changes).toEqual(['open'])
})

test('calls that we gave up ourselves are counted against nobody', async () => {
  const { instances, changes } = await crew(1)
  for (let i = 0; i < 20; i++) {
    const slot = instances.take(false)
    if (slot !== null) instances.done(slot, null, `m${i}`)
  }
  expect(changes).toEqual([])
  expect(instances.states()).toMatchObject([{ state: 'closed', inFlight: 0 }])
})
