import { expect, test } from 'vitest'
import { savedOver } from '../../../runtime/topology/files/kept.ts'
import { custom, documentOf, start } from '../samples.ts'

test('a value that the document leaves out stays as it is stored, and is told; one that it names wins', () => {
  const stored = documentOf([
    start,
    custom('a', { prefetch: 9, timeoutMs: 500, retry: { attempts: 2 }, emit: 'records' }),
  ])
  const { saved, kept } = savedOver(documentOf([start, custom('a', { timeoutMs: 700 })]), stored)
  expect(saved.nodes[1]).toEqual(custom('a', { prefetch: 9, timeoutMs: 700, retry: { attempts: 2 } }))
  expect(kept).toEqual([
    { node: 'a', key: 'prefetch', value: 9 },
    { node: 'a', key: 'retry', value: { attempts: 2 } },
  ])
})

test('an event node stays disabled, and a node of another kind keeps nothing', () => {
  const stored = documentOf([{ ...start, enabled: false }, custom('a', { prefetch: 9 })])
  const { saved, kept } = savedOver(documentOf([start, { name: 'a', type: 'start' }]), stored)
  expect(saved.nodes).toEqual([
    { ...start, enabled: false },
    { name: 'a', type: 'start' },
  ])
  expect(kept).toEqual([{ node: 'begin', key: 'enabled', value: false }])
})
