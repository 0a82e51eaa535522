import { Alert, Button, Group, Modal, NumberInput, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answerOf, engine, ifMatch, statusOf } from '../../../api/engine.ts'
import type { Node, Topology } from '../../../api/engine.ts'
import { faultAt } from '../../../api/problem.ts'
import { whyQuery } from '../../../api/queries.ts'
import { useWhyNot } from '../../../api/session.ts'
import { ActButton } from '../../../parts/act-button.tsx'
import { Icon } from '../../../parts/icons.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { told } from '../../../parts/toast.ts'
import { republish } from '../actions/republish.ts'
import { useAgain } from '../actions/use-deed.ts'
import { historyQuery } from '../panel/history.ts'
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
      {error !== null && data === undefined && <Problem error={error} again={() => void refetch()} />}
      {data === undefined && error === null && <Skeleton h={260} />}
      {data !== undefined && (
        <Form
          topology={topology}
          node={data.data}
          etag={data.etag}
          reread={async () => (await refetch()).data?.etag ?? null}
          close={close}
        />
      )}
    </Modal>
  )
}

interface FormProps {
  readonly topology: Topology
  readonly node: Node
  readonly etag: string | null
  /** Its ETag as it is now. */
  readonly reread: () => Promise<string | null>
  readonly close: () => void
}

/** Stays mounted while the node is read anew: neither what is typed nor what was refused may get lost by that. */
function Form(props: FormProps) {
  const { topology, node, close } = props
  const [value, setValue] = useState<number | string>(node.prefetch ?? least)
  const { save, stored } = useSave(props)
  const isSplit = node.partitions !== null && node.partitions > 1
  const fault = isSplit ? 'It has several partitions: only 1 is taken' : faultOf(value)
  const isPending = save.isPending
  const whyNot = fault ?? (topology.visibility === 'draft' ? 'It is a draft: there is nothing to republish' : null)
  const lacking = useWhyNot('operate')
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (whyNot === null && lacking === null && !isPending)
          save.mutate({ prefetch: Number(value), isRepublished: true })
      }}
    >
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        <Stack gap="sm">
          <NumberInput
            label={`Prefetch of ${node.name}`}
            description={isSplit ? 'Always 1 with partitions' : `Messages at the worker at once, ${least} to ${most}`}
            disabled={isSplit}
            value={value}
            onChange={setValue}
            min={least}
            max={most}
            step={1}
            error={(isSplit ? null : fault) ?? faultAt(save.error, 'prefetch')}
            data-autofocus
            styles={{ wrapper: { maxWidth: 160 } }}
          />
          <InForce node={node} />
          <SignalOf
            topology={topology}
            nodeId={node.id}
            prefetch={node.published?.prefetch ?? node.prefetch ?? least}
          />
          {save.error !== null && (
            <NotSaved
              error={save.error}
              node={node}
              stored={stored}
              again={() => save.mutate({ prefetch: null, isRepublished: true })}
            />
          )}
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
          whyNot={whyNot}
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

interface Saving {
  /** Null: it is stored already, and only republished. */
  readonly prefetch: number | null
  readonly isRepublished: boolean
}

function useSave({ topology, node, etag, reread, close }: FormProps) {
  const again = useAgain()
  // As it was when it was last looked at by somebody: what others changed since is refused, and then said.
  const [seen, setSeen] = useState(etag)
  const [stored, setStored] = useState<number | null>(null)
  const save = useMutation({
    mutationFn: async ({ prefetch, isRepublished }: Saving) => {
      if (prefetch !== null) {
        setStored(null)
        const params = { path: { id: node.id } }
        const sending = { params, body: { prefetch }, headers: ifMatch(seen) }
        setSeen((await answerOf(engine.PATCH('/api/nodes/{id}', sending))).etag)
        setStored(prefetch)
      }
      if (isRepublished) await republish(topology.id)
      else told(`${node.name}: prefetch ${prefetch} is saved; bridges keep theirs until it is republished`)
    },
    onSuccess: close,
    // Only what somebody else changed is told, with what it is now: nothing else may replace that unsaid.
    onError: async (error) => {
      if (statusOf(error) === 412) setSeen(await reread())
    },
    // Also when only the republish failed: what was saved is another then.
    onSettled: again,
  })
  return { save, stored }
}

interface NotSavedProps {
  readonly error: unknown
  readonly node: Node
  /** What was stored, when only the republish was refused. */
  readonly stored: number | null
  readonly again: () => void
}

function NotSaved({ error, node, stored, again }: NotSavedProps) {
  return (
    <>
      <Problem error={error} shownElsewhere={['prefetch']} />
      {stored === null && statusOf(error) === 412 && (
        <Text size="sm">
          Somebody changed the node meanwhile: its prefetch is {node.prefetch} now. Save again to replace it.
        </Text>
      )}
      {stored !== null && (
        <Group gap="xs">
          <Text size="sm">Prefetch {stored} is stored, but not republished: bridges keep theirs.</Text>
          <ActButton needs="operate" variant="default" onClick={again}>
            Republish again
          </ActButton>
        </Group>
      )}
    </>
  )
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
  topology,
  nodeId,
  prefetch,
}: {
  readonly topology: Topology
  readonly nodeId: string
  readonly prefetch: number
}) {
  const enabled = topology.visibility === 'public'
  const { data } = useQuery({ ...whyQuery(topology.id, nodeId), enabled })
  const { data: seen } = useQuery({ ...historyQuery(nodeId, '15m'), enabled })
  const signal = data === undefined ? null : signalOf(data, prefetch, seen)
  if (signal === null) return null
  return (
    <Alert color={colors[signal.advice]} variant="light" icon={<Icon name="info" />} title={titles[signal.advice]}>
      {signal.text}
    </Alert>
  )
}
