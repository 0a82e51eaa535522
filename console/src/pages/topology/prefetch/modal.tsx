import { Alert, Button, Group, Modal, NumberInput, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answerOf, dataOf, engine, ifMatch } from '../../../api/engine.ts'
import type { Node, Topology } from '../../../api/engine.ts'
import { faultAt } from '../../../api/problem.ts'
import { whyQuery } from '../../../api/queries.ts'
import { ActButton } from '../../../parts/act-button.tsx'
import { Icon } from '../../../parts/icons.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { told } from '../../../parts/toast.ts'
import { republish } from '../actions/republish.ts'
import { useAgain } from '../actions/use-deed.ts'
import { Guidance } from './guidance.tsx'
import classes from './prefetch.module.css'
import { signalOf } from './signals.ts'
import type { Signal } from './signals.ts'

interface PrefetchModalProps {
  readonly topology: Topology
  readonly nodeId: string
  readonly close: () => void
}

const least = 1
const most = 20

/** How many messages of a node may be at its worker at once. */
export function PrefetchModal({ topology, nodeId, close }: PrefetchModalProps) {
  // Read anew, with the ETag that the change goes by.
  const { data, error, refetch } = useQuery({
    queryKey: ['node', nodeId, 'to-change'],
    queryFn: () => answerOf(engine.GET('/api/nodes/{id}', { params: { path: { id: nodeId } } })),
    gcTime: 0,
    refetchOnMount: 'always',
  })
  return (
    <Modal opened onClose={close} title="Prefetch settings" size="xl">
      {error !== null && <Problem error={error} again={() => void refetch()} />}
      {data === undefined && error === null && <Skeleton h={260} />}
      {data !== undefined && (
        <Form key={data.etag} topology={topology} node={data.data} etag={data.etag} close={close} />
      )}
    </Modal>
  )
}

interface FormProps {
  readonly topology: Topology
  readonly node: Node
  readonly etag: string | null
  readonly close: () => void
}

function Form({ topology, node, etag, close }: FormProps) {
  const [value, setValue] = useState<number | string>(node.prefetch ?? least)
  const save = useSave(topology, node, etag, close)
  const fault = faultOf(value)
  const isPending = save.isPending
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (fault === null) save.mutate({ prefetch: Number(value), isRepublished: true })
      }}
    >
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        <Stack gap="sm">
          <NumberInput
            label={`Prefetch of ${node.name}`}
            description={`Messages at the worker at once, ${least} to ${most}`}
            value={value}
            onChange={setValue}
            min={least}
            max={most}
            step={1}
            clampBehavior="none"
            allowDecimal={false}
            error={fault ?? faultAt(save.error, 'prefetch')}
            data-autofocus
            styles={{ wrapper: { maxWidth: 160 } }}
          />
          <InForce node={node} />
          <SignalOf
            nodeId={node.id}
            prefetch={node.published?.prefetch ?? node.prefetch ?? least}
            isPublished={topology.visibility === 'public'}
          />
          {save.error !== null && <Problem error={save.error} shownElsewhere={['prefetch']} />}
        </Stack>
        <Guidance />
      </SimpleGrid>
      <Group justify="flex-end" gap="xs" className={classes.buttons}>
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <ActButton
          needs="operate"
          variant="default"
          whyNot={fault}
          loading={isPending && !save.variables.isRepublished}
          onClick={() => save.mutate({ prefetch: Number(value), isRepublished: false })}
        >
          Save and continue editing
        </ActButton>
        <ActButton
          needs="operate"
          whyNot={fault ?? (topology.visibility === 'draft' ? 'It is a draft: there is nothing to republish' : null)}
          loading={isPending && save.variables.isRepublished}
          onClick={() => save.mutate({ prefetch: Number(value), isRepublished: true })}
        >
          Save & Republish
        </ActButton>
      </Group>
    </form>
  )
}

function faultOf(value: number | string): string | null {
  const isRight = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
  return isRight ? null : `expected an integer from ${least} to ${most}`
}

function useSave(topology: Topology, node: Node, etag: string | null, close: () => void) {
  const again = useAgain()
  return useMutation({
    mutationFn: async ({ prefetch, isRepublished }: { prefetch: number; isRepublished: boolean }) => {
      const params = { path: { id: node.id } }
      await dataOf(engine.PATCH('/api/nodes/{id}', { params, body: { prefetch }, headers: ifMatch(etag) }))
      if (isRepublished) await republish(topology.id)
      else told(`${node.name}: prefetch ${prefetch} is saved; bridges keep theirs until it is republished`)
    },
    onSuccess: close,
    // Also when only the republish failed: what was saved is another then.
    onSettled: again,
  })
}

/** What bridges go by, where that is another value. */
function InForce({ node: { prefetch, published, partitions } }: { readonly node: Node }) {
  if (partitions !== null && partitions > 1)
    return (
      <Text size="sm" c="dimmed">
        The node has {partitions} partitions: each keeps its order, and takes one message at a time.
      </Text>
    )
  if (published === null || published.prefetch === prefetch) return null
  return (
    <Text size="sm" c="dimmed">
      Bridges go by {published.prefetch} until it is republished.
    </Text>
  )
}

const colors: Readonly<Record<Signal['advice'], string>> = { raise: 'cyan', lower: 'red', keep: 'gray' }
const titles: Readonly<Record<Signal['advice'], string>> = {
  raise: 'Its figures say: raise it',
  lower: 'Its figures say: lower it',
  keep: 'Its figures say: something else paces it',
}

function SignalOf({
  nodeId,
  prefetch,
  isPublished,
}: {
  readonly nodeId: string
  readonly prefetch: number
  readonly isPublished: boolean
}) {
  const { data } = useQuery({ ...whyQuery(nodeId), enabled: isPublished })
  const signal = data === undefined ? null : signalOf(data, prefetch)
  if (signal === null) return null
  return (
    <Alert color={colors[signal.advice]} variant="light" icon={<Icon name="info" />} title={titles[signal.advice]}>
      {signal.text}
    </Alert>
  )
}
