import { Button, Checkbox, Group, Modal, Select, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine } from '../../../api/engine.ts'
import type { TrashMessage } from '../../../api/engine.ts'
import { keys } from '../../../api/keys.ts'
import { faultAt } from '../../../api/problem.ts'
import { Problem } from '../../../parts/problem.tsx'
import { told } from '../../../parts/toast.ts'
import { isMismatch, useReplay } from './message.ts'

interface ElsewhereProps {
  readonly item: TrashMessage
  readonly close: () => void
}

/** Sends it to another node, or only if the node is what it was. The engine checks whether it can go there. */
export function ElsewhereDialog({ item, close }: ElsewhereProps) {
  const [node, setNode] = useState(item.node)
  const [isSame, setSame] = useState(false)
  const [isAccepted, setAccepted] = useState(false)
  const replay = useReplay(item.id)
  const { data = [] } = useQuery({
    queryKey: [...keys.nodes(item.topologyId), 'worker-nodes'],
    queryFn: async () => {
      const params = { path: { topology: item.topologyId } }
      const { items } = await dataOf(engine.GET('/api/topologies/{topology}/nodes', { params }))
      return items.filter(({ prefetch }) => prefetch !== null).map(({ name }) => name)
    },
  })
  const send = (): void => {
    const wanted = {
      ...(node !== item.node && { node }),
      ...(isSame && { newestRevision: false }),
      ...(isAccepted && { acceptWarnings: true }),
    }
    replay.mutate(wanted, {
      onSuccess: () => {
        told(`The message is on its way to ${node}`)
        close()
      },
    })
  }
  const fault = faultAt(replay.error, 'node')
  return (
    <Modal opened onClose={close} title="Replay at another node">
      <Stack gap="sm">
        <Text size="sm">
          The message goes to the node you choose, by the published plan, and from there on as everything does. Nodes
          before it are not run again.
        </Text>
        <Select
          label="Node"
          data={data.includes(item.node) ? data : [item.node, ...data]}
          value={node}
          onChange={(value) => setNode(value ?? item.node)}
          allowDeselect={false}
          searchable
          error={fault}
          data-autofocus
        />
        <Checkbox
          size="xs"
          label={`Only if the node is still what it was in revision ${item.revision}`}
          checked={isSame}
          onChange={(event) => setSame(event.currentTarget.checked)}
        />
        {replay.error && fault === null && <Problem error={replay.error} />}
        {(isMismatch(replay.error) || isAccepted) && (
          <Checkbox
            size="xs"
            label="Send it although it doesn’t fit the input schema, or couldn’t be checked"
            checked={isAccepted}
            onChange={(event) => setAccepted(event.currentTarget.checked)}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button loading={replay.isPending} onClick={send}>
            Replay
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
