import { JetStreamApiError } from '@nats-io/jetstream'
import { TimeoutError } from '@nats-io/transport-node'
import { expect, test } from 'vitest'
import { Unavailable } from '../../runtime/errors.ts'
import { untilReady } from '../../runtime/queue/connection.ts'

const electing = () => new JetStreamApiError({ code: 503, err_code: 10008, description: 'temporarily unavailable' })

test('JetStream that is not ready yet is asked again: no answer, or no leader', async () => {
  const failures = [new TimeoutError(), electing()]
  const asked = await untilReady(async () => {
    const failure = failures.shift()
    if (failure !== undefined) throw failure
    return 'ready'
  })
  expect(asked).toBe('ready')
})

test('when it takes too long the error says what to look at', async () => {
  const never = untilReady(() => Promise.reject(electing()), 0)
  await expect(never).rejects.toThrow(Unavailable)
  await expect(never).rejects.toThrow(/isn't ready \(.*\); on a cluster, check that most of its servers run/)
})

test('a refusal is final at once', async () => {
  let asked = 0
  const refused = new JetStreamApiError({ code: 400, err_code: 10025, description: 'replicas > 1 not supported' })
  const outcome = untilReady(() => {
    asked++
    return Promise.reject(refused)
  })
  await expect(outcome).rejects.toBe(refused)
  expect(asked).toBe(1)
})
