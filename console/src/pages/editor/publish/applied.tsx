import { Button, Group, Loader, Stack, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { dataOf, engine } from '../../../api/engine.ts'
import type { AppliedRevision } from '../../../api/engine.ts'
import { counted } from '../../../parts/show/format.ts'
import { Problem } from '../../../parts/problem.tsx'
import { Mono } from '../../../parts/show/facts.tsx'
import { Sign } from '../../../parts/show/sign.tsx'

interface AppliedProps {
  readonly id: string
  readonly revision: number
  readonly close: () => void
}

const waitMs = 5_000
/** The engine itself waits for them, so this is but the pause between two such waits. */
const pauseMs = 500

/** Which bridges go by what was published, until all that live do. */
export function Applied({ id, revision, close }: AppliedProps) {
  const client = useQueryClient()
  const queryKey = ['publishing', id, 'applied', revision]
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: () => {
      const isFirst = client.getQueryData(queryKey) === undefined
      const params = { path: { topology: id }, query: { waitMs: isFirst ? 0 : waitMs } }
      return dataOf(engine.GET('/api/topologies/{topology}/applied', { params }))
    },
    refetchInterval: ({ state }) => (state.data?.missing.length === 0 ? false : pauseMs),
  })
  return (
    <Stack gap="sm">
      <Text size="sm" role="status">
        Published as revision {revision}. {data && wordsOf(data)}
      </Text>
      {data ? <Bridges applied={data} /> : error === null && <Loader size="xs" aria-label="Loading" />}
      {error !== null && data === undefined && <Problem error={error} again={() => void refetch()} />}
      <Group justify="flex-end">
        <Button onClick={close} data-autofocus>
          Close
        </Button>
      </Group>
    </Stack>
  )
}

function wordsOf({ applied, missing }: AppliedRevision): string {
  const all = applied.length + missing.length
  if (all === 0) return 'No bridge is alive to go by it: start one, and it takes this revision by itself.'
  if (missing.length === 0) return `${counted(all, 'bridge goes', 'bridges go')} by it.`
  return `${applied.length} of ${counted(all, 'bridge')} go by it so far.`
}

function Bridges({ applied: { applied, missing } }: { readonly applied: AppliedRevision }) {
  return (
    <Stack gap={4} component="ul" aria-label="Bridges" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
      {applied.map((bridge) => (
        <li key={bridge}>
          <Sign tone="good">
            <span>
              <Mono>{bridge}</Mono> goes by it
            </span>
          </Sign>
        </li>
      ))}
      {missing.map((bridge) => (
        <li key={bridge}>
          <Sign tone="warn">
            <span>
              <Mono>{bridge}</Mono> doesn’t yet
            </span>
          </Sign>
        </li>
      ))}
    </Stack>
  )
}
