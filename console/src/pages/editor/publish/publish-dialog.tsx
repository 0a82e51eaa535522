import { Alert, Button, Modal, Skeleton, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answerOf, dataOf, engine, ifMatch } from '../../../api/engine.ts'
import type { CheckedDocument, Topology } from '../../../api/engine.ts'
import { counted } from '../../../parts/show/format.ts'
import { Foot } from '../../../parts/form/foot.tsx'
import { Icon } from '../../../parts/icons.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { useAgain } from '../../topology/actions/use-deed.ts'
import { DocumentDifference } from '../difference/difference.tsx'
import { Faults } from '../faults/faults.tsx'
import { graphOf, isSame } from '../state/graph.ts'
import type { Graph } from '../state/graph.ts'
import { Applied } from './applied.tsx'
import { Leaving } from './leaving.tsx'
import type { InFlight } from './leaving.tsx'

interface PublishDialogProps {
  readonly topology: Pick<Topology, 'id' | 'name'>
  /** Stores the draft, if it isn't stored yet, and says what it is then; null: whichever it is. */
  readonly save: () => Promise<Graph | null>
  /** The draft is another one than that: somebody else has saved it. */
  readonly lost?: () => void
  readonly close: () => void
}

/** Makes the draft what bridges go by: what is wrong with it, what changes, what becomes of messages, and who goes by it then. */
export function PublishDialog({ topology, save, lost, close }: PublishDialogProps) {
  const [revision, setRevision] = useState<number | null>(null)
  return (
    <Modal opened onClose={close} title={`Publish ${topology.name}`} size="lg">
      {revision === null ? (
        <Asking id={topology.id} {...{ save, lost, close }} done={setRevision} />
      ) : (
        <Applied id={topology.id} revision={revision} close={close} />
      )}
    </Modal>
  )
}

interface AskingProps extends Pick<PublishDialogProps, 'save' | 'close'> {
  readonly lost: (() => void) | undefined
  readonly id: string
  readonly done: (revision: number) => void
}

function Asking({ id, save, lost, close, done }: AskingProps) {
  const [inFlight, setInFlight] = useState<InFlight>('refuse')
  const { draft, checked } = useChecked(id, save, lost)
  const again = useAgain()
  const publish = useMutation({
    mutationFn: () => {
      // What was looked at is what is published.
      const headers = ifMatch(draft.data?.etag ?? null)
      const params = { path: { topology: id }, query: { inFlight } }
      return dataOf(engine.POST('/api/topologies/{topology}/publish', { params, headers }))
    },
    onSuccess: async ({ revision }) => {
      done(revision)
      await again()
    },
    onError: () => checked.refetch(),
  })
  const lookAgain = (): void => {
    publish.reset()
    void draft.refetch().then(() => checked.refetch())
  }
  const error = draft.error ?? checked.error ?? publish.error
  const isFit = checked.data?.errors.length === 0
  return (
    <Stack gap="sm">
      {draft.data && checked.data ? (
        <Found topology={draft.data.data} checked={checked.data} inFlight={inFlight} choose={setInFlight} />
      ) : (
        error === null && <Skeleton h={60} />
      )}
      {error !== null && <Problem error={error} again={lookAgain} />}
      <Foot>
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button disabled={!isFit} loading={publish.isPending} onClick={() => publish.mutate()} data-autofocus>
          Publish
        </Button>
      </Foot>
    </Stack>
  )
}

/** The draft as it is stored from now on, and what publishing it would come to. Kept for as long as the dialog is open. */
function useChecked(id: string, save: PublishDialogProps['save'], lost: AskingProps['lost']) {
  const draft = useQuery({
    queryKey: ['publishing', id],
    queryFn: async () => {
      const mine = await save()
      const read = await answerOf(engine.GET('/api/topologies/{topology}', { params: { path: { topology: id } } }))
      if (mine === null || isSame(graphOf(read.data.document), mine)) return read
      lost?.()
      throw new Error('Somebody else has saved it meanwhile')
    },
    ...once,
  })
  const checked = useQuery({
    queryKey: ['publishing', id, 'check', draft.data?.etag],
    queryFn: () => {
      const params = { path: { topology: id } }
      const body = draft.data?.data.document ?? { name: '', nodes: [], edges: [] }
      return dataOf(engine.POST('/api/topologies/{topology}/check', { params, body }))
    },
    enabled: draft.data !== undefined,
    ...once,
  })
  return { draft, checked }
}

const once = { staleTime: Infinity, gcTime: 0, retry: false } as const

interface FoundProps {
  readonly topology: Topology
  readonly checked: CheckedDocument
  readonly inFlight: InFlight
  readonly choose: (inFlight: InFlight) => void
}

function Found({ topology, checked, inFlight, choose }: FoundProps) {
  const { errors, difference, leaving } = checked
  return (
    <>
      {errors.length > 0 && (
        <Alert
          color="red"
          variant="light"
          icon={<Icon name="warning" />}
          title={`It can’t be published: ${counted(errors.length, 'fault')}`}
        >
          <Faults faults={errors} document={topology.document} />
        </Alert>
      )}
      {difference === null ? (
        errors.length === 0 && (
          <Text size="sm">It is published for the first time: {counted(topology.document.nodes.length, 'node')}.</Text>
        )
      ) : (
        <section aria-label="What it changes">
          <Text size="sm" mb={4}>
            Against revision {difference.from}:
          </Text>
          <DocumentDifference difference={difference} same={`The draft is the same as revision ${difference.from}.`} />
        </section>
      )}
      {leaving.length > 0 && <Leaving leaving={leaving} inFlight={inFlight} choose={choose} />}
    </>
  )
}
