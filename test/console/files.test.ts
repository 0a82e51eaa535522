import fc from 'fast-check'
import { expect, test } from 'vitest'
import { read, tooLarge } from '../../console/src/pages/editor/files/read.ts'
import { yamlOf } from '../../runtime/topology/yaml.ts'
import { bpmn, flow } from '../topology/editors/samples.ts'
import { documents } from '../topology/files/arbitrary.ts'

test('a file is what it looks like', async () => {
  const kindOf = async (text: string) => (await read(text)).kind
  expect(await kindOf(' \n# nothing yet\n')).toBe('nothing')
  expect(await kindOf(bpmn)).toBe('bpmn')
  expect(await read(JSON.stringify(flow))).toEqual({ kind: 'flow', payload: flow })
  expect(await kindOf('{"name":"a","nodes":[],"edges":[]}')).toBe('document')
  expect(await kindOf('just words')).toBe('unreadable')
  expect(await kindOf('a\0b')).toBe('unreadable')
})

test('whatever a document says, it is read as the same, in YAML and in JSON', async () => {
  await fc.assert(
    fc.asyncProperty(documents, fc.boolean(), async (document, isYaml) => {
      const found = await read(isYaml ? yamlOf(document) : JSON.stringify(document, null, 2))
      expect(found).toMatchObject({ kind: 'document', value: JSON.parse(JSON.stringify(document)) as unknown })
    }),
  )
})

test('a fault has the line of what it is about, or of what is around it', async () => {
  const found = await read('name: a\nnodes:\n  - name: b\n    type: start\n  - name: c\n    prefetch: 99\n')
  if (found.kind !== 'document') throw new Error(found.kind)
  const paths = ['name', 'nodes[0]', 'nodes[1].prefetch', 'nodes[1].type', 'edges']
  expect(paths.map(found.lineOf)).toEqual([1, 3, 6, 5, 1])
  expect(await read('a: 1\nb: [')).toMatchObject({
    kind: 'unreadable',
    faults: [{ line: expect.any(Number) as number }],
  })
})

test('no text is too much for it', async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => void (await read(text))))
  expect(tooLarge(1024 * 1024)).toBe(null)
  expect(await read('x'.repeat(1024 * 1024 + 1))).toEqual({
    kind: 'unreadable',
    faults: [{ line: null, message: expect.stringContaining('a document has at most 1 MiB') as string }],
  })
})
