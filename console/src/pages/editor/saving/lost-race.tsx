import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { answerOf, dataOf, engine } from '../../../api/engine.ts'
import type { AuditEntry, Topology } from '../../../api/engine.ts'
import { useWhyNot } from '../../../api/session.ts'
import { Problem } from '../../../parts/problem.tsx'
import { Time } from '../../../parts/show/time.tsx'

interface LostRaceProps {
  readonly id: string
  /** Takes what somebody else has saved; what was drawn here can be brought back by undo. */
  readonly take: (topology: Topology, etag: string | null) => void
  /** Saves what was drawn here over it. */
  readonly over: (etag: string | null) => void
  readonly close: () => void
}

/** Somebody else has saved since the draft was read: nothing is decided without the one who edits. */
export function LostRace({ id, take, over, close }: LostRaceProps) {
  const { data, error } = useQuery({
    queryKey: ['topology-now', id],
    queryFn: () => answerOf(engine.GET('/api/topologies/{topology}', { params: { path: { topology: id } } })),
    gcTime: 0,
    staleTime: 0,
  })
  const who = useWho(id)
  return (
    <Modal opened onClose={close} title="Somebody else has saved it meanwhile">
      <Stack gap="sm">
        {error !== null && <Problem error={error} />}
        {data && (
          <Text size="sm">
            It was saved <Time at={data.data.updatedAt} relative />
            {who !== null && (
              <>
                {' '}
                by <b>{who.who}</b>
              </>
            )}
            . Nothing of yours is stored yet, and nothing of it is lost: take what is stored (undo brings yours back),
            or save yours over it.
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Keep editing
          </Button>
          <Button variant="default" color="red" disabled={data === undefined} onClick={() => data && over(data.etag)}>
            Save mine over it
          </Button>
          <Button disabled={data === undefined} onClick={() => data && take(data.data, data.etag)} data-autofocus>
            Take what is stored
          </Button>
        </Group>
      </Stack>
    </Modal>
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
