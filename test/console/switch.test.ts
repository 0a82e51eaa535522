import { MutationObserver, QueryClient } from '@tanstack/react-query'
import { expect, test } from 'vitest'
import { switching } from '../../console/src/pages/topology/actions/switch.ts'

interface Topology {
  readonly name: string
  readonly paused: boolean
}

const key = ['topology', 'orders']

/** A switch that is on, whose engine answers when it is told to, and what was told of it. */
function pauseOf(answer: Promise<void>) {
  const client = new QueryClient()
  client.setQueryData<Topology>(key, { name: 'orders', paused: false })
  const told: string[] = []
  const options = switching<Topology>(client, {
    shownBy: key,
    show: (known, isOn) => ({ ...known, paused: isOn }),
    set: () => answer,
    done: (isOn) => void told.push(`done ${isOn}`),
    refused: ({ message }, isOn) => void told.push(`refused ${isOn}: ${message}`),
    again: async () => void told.push('again'),
  })
  return { told, client, switchOn: () => new MutationObserver(client, options).mutate(true) }
}

test('a switch shows at once what it is set to, before the engine has said yes', async () => {
  let sayYes = (): void => undefined
  const { told, client, switchOn } = pauseOf(new Promise<void>((resolve) => (sayYes = resolve)))
  const setting = switchOn()
  await expect.poll(() => client.getQueryData(key)).toEqual({ name: 'orders', paused: true })
  expect(told).toEqual([])
  sayYes()
  await setting
  expect(told).toEqual(['done true', 'again'])
})

test('a switch that is refused is shown as it was, with the reason, and looked at anew', async () => {
  const { told, client, switchOn } = pauseOf(Promise.reject(new Error('it is being deleted')))
  await expect(switchOn()).rejects.toThrow('it is being deleted')
  expect(client.getQueryData(key)).toEqual({ name: 'orders', paused: false })
  expect(told).toEqual(['refused true: it is being deleted', 'again'])
})
