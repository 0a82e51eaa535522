import { Button, Code, Group, List, Modal, Radio, Skeleton, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine } from '../../../api/engine.ts'
import type { Difference, Topology } from '../../../api/engine.ts'
import { counted } from '../../../parts/show/format.ts'
import { Problem } from '../../../parts/problem.tsx'
import { told } from '../../../parts/toast.ts'
import { useAgain } from './use-deed.ts'

interface PublishDialogProps {
  readonly topology: Topology
  readonly close: () => void
}

const choices = [
  { value: 'refuse', label: 'Don’t publish then', description: 'and say how many there are' },
  { value: 'drain', label: 'Handle them as before', description: 'the node leaves when it is empty' },
  { value: 'trash', label: 'Put them into Trash', description: 'at once, without a call' },
] as const

/** Makes the draft what bridges go by. */
export function PublishDialog({ topology, close }: PublishDialogProps) {
  const { id, name, revision } = topology
  const [inFlight, setInFlight] = useState('refuse')
  const again = useAgain()
  const publish = useMutation({
    mutationFn: () => {
      const query = { inFlight: inFlight as (typeof choices)[number]['value'] }
      return dataOf(engine.POST('/api/topologies/{topology}/publish', { params: { path: { topology: id }, query } }))
    },
    onSuccess: async (published) => {
      told(`Published as revision ${published.revision}`)
      close()
      await again()
    },
  })
  return (
    <Modal opened onClose={close} title={`Publish ${name}`} size="lg">
      <Stack gap="sm">
        {revision === 0 ? (
          <Text size="sm">It is published for the first time: {counted(topology.document.nodes.length, 'node')}.</Text>
        ) : (
          <Changes id={id} revision={revision} />
        )}
        {revision > 0 && (
          <Radio.Group
            value={inFlight}
            onChange={setInFlight}
            label="Messages on their way to nodes that go away"
            size="xs"
          >
            <Stack gap={6} mt={6}>
              {choices.map(({ value, label, description }) => (
                <Radio key={value} value={value} label={`${label}: ${description}`} size="xs" />
              ))}
            </Stack>
          </Radio.Group>
        )}
        {publish.error !== null && <Problem error={publish.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button loading={publish.isPending} onClick={() => publish.mutate()} data-autofocus>
            Publish
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

/** What the draft would change. */
function Changes({ id, revision }: { readonly id: string; readonly revision: number }) {
  const { data, error } = useQuery({
    queryKey: ['topology', id, 'difference', revision],
    queryFn: () => {
      const params = { path: { topology: id, revision }, query: { to: 'draft' as const } }
      return dataOf(engine.GET('/api/topologies/{topology}/revisions/{revision}/difference', { params }))
    },
  })
  if (error !== null) return <Problem error={error} />
  if (data === undefined) return <Skeleton h={40} />
  const lines = linesOf(data)
  if (lines.length === 0) return <Text size="sm">The draft is the same as revision {revision}.</Text>
  return (
    <div>
      <Text size="sm">Against revision {revision}:</Text>
      <List size="sm">
        {lines.map((line) => (
          <List.Item key={line}>
            <Code>{line}</Code>
          </List.Item>
        ))}
      </List>
    </div>
  )
}

function linesOf({ nodes, edges, values, reordered }: Difference): string[] {
  return [
    ...values.map(({ path }) => `${path} is another`),
    ...nodes.map(({ name, change, values }) =>
      change === 'changed'
        ? `${name}: ${values.map(({ path, before, after }) => `${path} ${shown(before)} → ${shown(after)}`).join(', ')}`
        : `${name} is ${change}`,
    ),
    ...edges.map(({ from, to, change }) => `${from} → ${to} is ${change}`),
    ...reordered.map((what) => `the order of ${what} is another`),
  ]
}

const shown = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value))
