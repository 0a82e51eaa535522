import { Button, Code, Group, Loader, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { Empty } from '../../parts/empty.tsx'
import { grouped } from '../../parts/show/format.ts'
import { Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import { NewTopology } from './create.tsx'
import { Filters } from './filters.tsx'
import { filterOf, isFiltered } from './filter.ts'
import type { Filter } from './filter.ts'
import { Rows } from './rows.tsx'

export default function TopologiesPage() {
  const [params, setParams] = useSearchParams()
  const filter = filterOf(params)
  const { data, error, refetch, isPlaceholderData } = useQuery({
    queryKey: [...keys.topologies, filter],
    queryFn: () => dataOf(engine.GET('/api/overview', { params: { query: { ...filter, limit: rowsMax } } })),
    placeholderData: keepPreviousData,
  })
  const to = (after: string | null): void =>
    setParams((known) => {
      const next = new URLSearchParams(known)
      if (after === null) next.delete('after')
      else next.set('after', after)
      return next
    })
  return (
    <Page title="Topologies" actions={<NewTopology />}>
      <Filters total={data?.total ?? null} />
      {error !== null && data === undefined && <Problem error={error} again={() => void refetch()} />}
      {data === undefined && error === null && <Loader size="sm" aria-label="Loading" />}
      {data?.items.length === 0 && <Nothing filter={filter} />}
      {data !== undefined && data.items.length > 0 && (
        <>
          <Rows items={data.items} isOld={isPlaceholderData} />
          {(data.next !== null || filter.after !== undefined) && (
            <Group justify="space-between">
              <Text size="sm" c="dimmed">
                {grouped(data.items.length)} of {grouped(data.total)}
              </Text>
              <Group gap="xs">
                <Button variant="default" disabled={filter.after === undefined} onClick={() => to(null)}>
                  First page
                </Button>
                <Button variant="default" disabled={data.next === null} onClick={() => to(data.next)}>
                  Next page
                </Button>
              </Group>
            </Group>
          )}
        </>
      )}
    </Page>
  )
}

/** Each costs a browser some milliseconds. */
const rowsMax = 50

function Nothing({ filter }: { readonly filter: Filter }) {
  if (isFiltered(filter))
    return (
      <Empty icon="search" title="None is like that">
        Take a part of the search or the labels away.
      </Empty>
    )
  return (
    <Empty icon="topologies" title="There is no topology yet">
      A topology joins workers by queues. Draw one in the editor (<b>New topology</b>), write one as a file and bring it
      in with <Code>sluice apply -f shop.yaml --publish</Code>, or begin with a project of your own:{' '}
      <Code>sluice init shop</Code>.
    </Empty>
  )
}
