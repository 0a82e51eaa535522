import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { answerOf, dataOf, engine, statusOf } from '../../../api/engine.ts'
import type { AuditEntry, DraftChanges, Topology, TopologyDocument } from '../../../api/engine.ts'
import { useWhyNot } from '../../../api/session.ts'
import { Problem } from '../../../parts/problem.tsx'
import { Time } from '../../../parts/show/time.tsx'
import { DocumentDifference } from '../difference/difference.tsx'

interface LostRaceProps {
  readonly id: string
  /** Takes what somebody else has saved; what was drawn here can be brought back by undo. */
  readonly take: (topology: Topology, etag: string | null) => void
  /** What was drawn here. */
  readonly mine: TopologyDocument
  /** Saves it over theirs. Throws what was refused. */
  readonly over: (etag: string | null) => Promise<void>
  readonly close: () => void
}

/** Somebody else has saved since the draft was read: nothing is decided without the one who edits. */
export function LostRace({ id, mine, take, over, close }: LostRaceProps) {
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['topology-now', id],
    queryFn: () => bothOf(id, mine),
    gcTime: 0,
    staleTime: 0,
  })
  const saving = useMutation({
    mutationFn: over,
    // Somebody has saved once more: what would be overwritten is another one now.
    onError: (refused) => statusOf(refused) === 412 && void refetch(),
  })
  const isOff = data === undefined || isFetching || saving.isPending
  return (
    <Modal opened onClose={close} title="Somebody else has saved it meanwhile" size="lg">
      <Stack gap="sm">
        {error !== null && <Problem error={error} again={() => void refetch()} />}
        {data && <Theirs id={id} now={data.theirs} changes={data.changes} />}
        {saving.error !== null && <Problem error={saving.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Keep editing
          </Button>
          <Button
            variant="default"
            color="red"
            disabled={data === undefined || isFetching}
            loading={saving.isPending}
            onClick={() => data && saving.mutate(data.etag)}
          >
            Save mine over it
          </Button>
          <Button disabled={isOff} onClick={() => data && take(data.theirs, data.etag)} data-autofocus>
            Take what is stored
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

/** What is stored, and what saving one's own over exactly that would change. */
async function bothOf(id: string, mine: TopologyDocument) {
  const params = { path: { topology: id } }
  const { data: theirs, etag } = await answerOf(engine.GET('/api/topologies/{topology}', { params }))
  const checked = await answerOf(engine.POST('/api/topologies/{topology}/check', { params, body: mine }))
  // Saved once more in between: that is told when it is tried.
  return { theirs, etag, changes: checked.etag === etag ? checked.data.changes : null }
}

interface TheirsProps {
  readonly id: string
  readonly now: Topology
  /** Null: they can't be compared. */
  readonly changes: DraftChanges | null
}

function Theirs({ id, now, changes }: TheirsProps) {
  const who = useWho(id)
  return (
    <>
      <Text size="sm">
        It was saved <Time at={now.updatedAt} relative />
        {who !== null && (
          <>
            {' '}
            by <b>{who.who}</b>
          </>
        )}
        . Nothing of yours is stored yet, and nothing of it is lost: take what is stored (undo brings yours back), or
        save yours over it.
      </Text>
      <section aria-label="What saving yours over it changes">
        <Text size="sm" mb={4}>
          Saving yours over it changes, of what is stored:
        </Text>
        {changes === null ? (
          <Text size="sm">It can’t be compared with what you have drawn.</Text>
        ) : (
          <DocumentDifference difference={changes} same="Nothing: both say the same." />
        )}
      </section>
    </>
  )
}

/** Who changed it last, for those who may read the audit log; null: not known. */
function useWho(id: string): AuditEntry | null {
  const whyNot = useWhyNot('admin')
  const { data } = useQuery({
    queryKey: ['audit', 'last', id],
    queryFn: () => dataOf(engine.GET('/api/audit', { params: { query: { topology: id, limit: 1 } } })),
    enabled: whyNot === null,
    gcTime: 0,
    staleTime: 0,
  })
  return data?.items[0] ?? null
}
