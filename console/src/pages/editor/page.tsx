import { Button, Loader } from '@mantine/core'
import { ReactFlowProvider } from '@xyflow/react'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from 'wouter'
import { workersQuery } from '../../api/queries.ts'
import { useSession, useWhyNot } from '../../api/session.ts'
import { Empty } from '../../parts/empty.tsx'
import { Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import { useOpened } from '../topology/opened.ts'
import { Editor } from './editor.tsx'

export default function EditorPage() {
  const { topology } = useParams<{ topology: string }>()
  const whyNot = useWhyNot('design')
  if (whyNot === null) return <Opened topology={topology} />
  return (
    <Page title={`Edit ${topology}`}>
      <Empty icon="topologies" title="It can’t be edited by you">
        {whyNot}.
        <br />
        <Button component={Link} href={`/topologies/${topology}`} variant="default" mt="sm">
          Look at it
        </Button>
      </Empty>
    </Page>
  )
}

/** What is read when it is opened is what is edited: what others save meanwhile is told when this is saved. */
function Opened({ topology }: { readonly topology: string }) {
  const { topologyId, tokenId } = useSession()
  const { data, error, refetch } = useOpened(topology)
  const workers = useQuery({ ...workersQuery, enabled: topologyId === null })
  const isReady = workers.data !== undefined || workers.error !== null || topologyId !== null
  if (data && isReady)
    return (
      <ReactFlowProvider key={data.data.id}>
        <Editor
          topology={data.data}
          etag={data.etag}
          tokenId={tokenId}
          workers={workers.data ?? none}
          whyNoWorkers={whyNoWorkers(topologyId !== null, workers.error !== null)}
        />
      </ReactFlowProvider>
    )
  return (
    <Page title={`Edit ${topology}`}>
      {error === null ? (
        <Loader size="sm" aria-label="Loading" />
      ) : (
        <Problem error={error} again={() => void refetch()} />
      )}
    </Page>
  )
}

const none: never[] = []

function whyNoWorkers(isOfOne: boolean, isAway: boolean): string | null {
  if (isOfOne) return 'Your token is good for this topology only, so workers aren’t listed: name them yourself.'
  return isAway ? 'Workers can’t be read now: name them yourself.' : null
}
