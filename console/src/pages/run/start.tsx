import { Code, Loader, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { dataOf, engine, statusOf } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { shownOf } from '../../api/problem.ts'
import { useWhyNot } from '../../api/session.ts'
import { BodyView } from '../../parts/body/body-view.tsx'
import { bodyOf } from '../../parts/body/text.ts'
import { Quiet } from '../../parts/life/quiet.tsx'
import { Problem } from '../../parts/problem.tsx'

/** The message that the run began with. */
export function StartMessage({ runId }: { readonly runId: string }) {
  const lacks = useWhyNot('payload')
  const { data, error, refetch } = useQuery({
    queryKey: ['start', ...keys.run(runId)],
    queryFn: async ({ signal }) => {
      const start = await dataOf(engine.GET('/api/runs/{id}/start', { params: { path: { id: runId } }, signal }))
      return { headers: start.headers, body: bodyOf(start.contentType, start.bodyBase64) }
    },
    enabled: lacks === null,
    staleTime: Infinity,
    gcTime: 60_000,
  })
  if (lacks !== null) return <Quiet text={`${lacks}: what messages hold isn’t shown.`} />
  if (error && !data && statusOf(error) === 404) return <Quiet text={shownOf(error).detail} />
  if (error && !data) return <Problem error={error} again={() => void refetch()} />
  if (!data) return <Loader size="xs" aria-label="Loading" />
  const headers = Object.entries(data.headers)
  return (
    <Stack gap="xs">
      {headers.map(([name, value]) => (
        <Text key={name} size="sm">
          <Code>{name}</Code> {value}
        </Text>
      ))}
      <BodyView body={data.body} fileName={`start-${runId}`} />
    </Stack>
  )
}
