import { Alert, Loader, Modal, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Topology } from '../../../api/engine.ts'
import { nodesQuery } from '../../../api/queries.ts'
import { Icon } from '../../../parts/icons.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { Trying } from '../../worker/try/trying.tsx'

interface TryDialogProps {
  readonly topology: Topology
  /** Its name. */
  readonly node: string
  /** Something is drawn that isn't saved. */
  readonly isChanged: boolean
  readonly close: () => void
}

/** Calls the node once with a captured message or one of one's own. */
export function TryDialog({ topology, node, isChanged, close }: TryDialogProps) {
  const { data, error } = useQuery(nodesQuery(topology.id))
  const found = data?.find(({ name }) => name === node)
  return (
    <Modal opened onClose={close} title={`Try ${node}`} size="xl">
      <Stack gap="sm">
        {error !== null && <Problem error={error} />}
        {data === undefined && error === null && <Loader size="sm" aria-label="Loading" />}
        {isChanged && found !== undefined && (
          <Alert color="yellow" variant="light" p="xs" icon={<Icon name="info" />}>
            What you changed isn’t saved: the call goes by what is.
          </Alert>
        )}
        {data !== undefined && found === undefined && (
          <Text size="sm">
            The engine doesn’t know <b>{node}</b> yet: save the draft first. To try it with messages that have come to
            it, it has to be published, too.
          </Text>
        )}
        {found !== undefined && (
          <>
            {found.published === null && (
              <Text size="sm">
                It isn’t published, so no message has come to it: it can be tried with one of your own, as it is in the
                draft.
              </Text>
            )}
            <Trying node={found} />
          </>
        )}
      </Stack>
    </Modal>
  )
}
