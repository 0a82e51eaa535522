import { useQuery } from '@tanstack/react-query'
import { dataOf, engine } from '../../api/engine.ts'
import type { Status } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { Loading } from '../../parts/table/listed.tsx'
import { Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Bridges } from './bridges.tsx'
import { Findings } from './listed-findings.tsx'
import { findingsOf } from './findings.ts'
import { Parts } from './parts.tsx'

/** Bridges that come and go are no event, so who looks here asks now and then. */
const everyMs = 10_000

export default function StatusPage() {
  const { data, error, refetch } = useQuery({
    queryKey: keys.status,
    queryFn: () => dataOf(engine.GET('/api/status')),
    refetchInterval: everyMs,
  })
  return (
    <Page title="Status">
      {error !== null && data === undefined && <Problem error={error} again={() => void refetch()} />}
      {data ? <Shown status={data} /> : error === null && <Loading />}
    </Page>
  )
}

function Shown({ status }: { readonly status: Status }) {
  return (
    <>
      <Findings findings={findingsOf(status)} />
      <Parts status={status} />
      <Bridges status={status} />
    </>
  )
}
