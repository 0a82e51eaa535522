import { Alert, List } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useParams } from 'wouter'
import { answerOf, dataOf, engine, ifMatch } from '../../api/engine.ts'
import type { Worker } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { duration } from '../../parts/show/format.ts'
import { Icon } from '../../parts/icons.tsx'
import { Loading } from '../../parts/table/listed.tsx'
import { Crumbs, Page } from '../../parts/page.tsx'
import { Pinned } from '../../parts/form/pinned.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Facts, Mono } from '../../parts/show/facts.tsx'
import { Time } from '../../parts/show/time.tsx'
import { failed, told } from '../../parts/toast.ts'
import { WorkerForm, toldOfWorker } from '../workers/form.tsx'
import { WorkerSign } from '../workers/health.tsx'
import { versionOf } from '../workers/manifest.ts'
import { Instances } from './instances.tsx'
import { ManifestNodes } from './nodes.tsx'
import { RemoveWorker } from './remove.tsx'
import { TestCall } from './try/test-call.tsx'

export default function WorkerPage() {
  const { name } = useParams<{ name: string }>()
  const [opened, setOpened] = useState<'edit' | 'remove' | null>(null)
  const { data, error, refetch } = useQuery({
    queryKey: keys.workers(name),
    queryFn: () => answerOf(engine.GET('/api/workers/{name}', { params: { path: { name } } })),
  })
  const close = (): void => setOpened(null)
  if (!data)
    return <Page title={name}>{error ? <Problem error={error} again={() => void refetch()} /> : <Loading />}</Page>
  const { data: worker, etag } = data
  return (
    <Page
      title={name}
      heading={<Crumbs of={[{ title: 'Workers', href: '/workers' }]} title={name} />}
      actions={
        <>
          <Refresh worker={worker} etag={etag} />
          <ActButton variant="default" needs="design" onClick={() => setOpened('edit')}>
            Change
          </ActButton>
          <ActButton variant="default" needs="design" onClick={() => setOpened('remove')}>
            Remove
          </ActButton>
        </>
      }
    >
      <WorkerFacts worker={worker} />
      <Faults worker={worker} />
      <Instances instances={worker.instances} />
      <ManifestNodes worker={worker} />
      <TestCall worker={worker} />
      {opened !== null && (
        <Pinned live={data} again={() => void refetch()} tell={toldOfWorker}>
          {(pin) =>
            opened === 'edit' ? <WorkerForm of={pin} close={close} /> : <RemoveWorker of={pin} close={close} />
          }
        </Pinned>
      )}
    </Page>
  )
}

/** Reads its manifest again. */
function Refresh({ worker: { name }, etag }: { readonly worker: Worker; readonly etag: string | null }) {
  const client = useQueryClient()
  const refresh = useMutation({
    mutationFn: () =>
      dataOf(engine.POST('/api/workers/{name}/refresh', { params: { path: { name } }, headers: ifMatch(etag) })),
    onSuccess: () => told('The manifest was read'),
    onError: (error) => failed('The manifest was not read; the one before is kept', error),
    onSettled: () => client.invalidateQueries({ queryKey: keys.workers() }),
  })
  return (
    <ActButton variant="default" needs="design" loading={refresh.isPending} onClick={() => refresh.mutate()}>
      Read the manifest
    </ActButton>
  )
}

function WorkerFacts({ worker }: { readonly worker: Worker }) {
  const { dialect, hasSecret, timeoutMs, manifestReadAt, updatedAt } = worker
  return (
    <Facts
      of={[
        ['Health', <WorkerSign key="h" worker={worker} />],
        ['Version', versionOf(worker) ?? 'it says none'],
        ['Speaks', dialect === 'native' ? 'the protocol of this engine' : 'that of older Orchesty workers'],
        ['Calls are signed', hasSecret ? 'yes' : 'no'],
        ['Time-out of a call', timeoutMs === null ? 'as the nodes say' : duration(timeoutMs)],
        ['Manifest read', manifestReadAt === null ? 'never' : <Time at={manifestReadAt} relative />],
        ['Changed', <Time key="u" at={updatedAt} relative />],
      ]}
    />
  )
}

function Faults({ worker: { manifestFaults } }: { readonly worker: Worker }) {
  if (manifestFaults.length === 0) return null
  return (
    <Alert
      color="yellow"
      icon={<Icon name="warning" />}
      title="Some defaults of its manifest can’t be used, and are ignored"
    >
      <List size="sm">
        {manifestFaults.map(({ path, message }) => (
          <List.Item key={path}>
            <Mono>{path}</Mono> {message}
          </List.Item>
        ))}
      </List>
    </Alert>
  )
}
