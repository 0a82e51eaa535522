import { Alert } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation, useParams } from 'wouter'
import { answerOf, dataOf, engine, ifMatch } from '../../api/engine.ts'
import type { ServiceState } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import { counted, grouped } from '../../parts/show/format.ts'
import { Icon } from '../../parts/icons.tsx'
import { Loading } from '../../parts/table/listed.tsx'
import { Crumbs, Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Facts } from '../../parts/show/facts.tsx'
import { Time } from '../../parts/show/time.tsx'
import { told } from '../../parts/toast.ts'
import { Done } from '../services/done.tsx'
import { ServiceForm } from '../services/form.tsx'
import { Use } from '../services/use.tsx'
import { inFlightText, limitText } from '../services/words.ts'
import { AskedAndResume } from './resume.tsx'
import { Tenants } from './tenants.tsx'
import { Users } from './users.tsx'

export default function ServicePage() {
  const { name } = useParams<{ name: string }>()
  const [opened, setOpened] = useState<'edit' | 'remove' | null>(null)
  const declared = useQuery({
    queryKey: keys.services(name),
    queryFn: () => answerOf(engine.GET('/api/services/{name}', { params: { path: { name } } })),
  })
  const { data, error, refetch } = useQuery({
    queryKey: keys.serviceState(name),
    queryFn: () =>
      dataOf(engine.GET('/api/services/{name}/state', { params: { path: { name }, query: { limit: 1 } } })),
  })
  const close = (): void => setOpened(null)
  const used = data && data.users.length > 0 ? `${usersText(data)} it: take it from them first` : null
  return (
    <Page
      title={name}
      heading={<Crumbs of={[{ title: 'Services', href: '/services' }]} title={name} />}
      actions={
        <>
          <ActButton variant="default" needs="design" onClick={() => setOpened('edit')}>
            Change limits
          </ActButton>
          <ActButton variant="default" needs="design" whyNot={used} onClick={() => setOpened('remove')}>
            Remove
          </ActButton>
        </>
      }
    >
      {error !== null && data === undefined && <Problem error={error} again={() => void refetch()} />}
      {data ? <Shown state={data} /> : error === null && <Loading />}
      {opened === 'edit' && declared.data && (
        <ServiceForm service={declared.data.data} etag={declared.data.etag} close={close} />
      )}
      {opened === 'remove' && <Remove name={name} etag={declared.data?.etag ?? null} close={close} />}
    </Page>
  )
}

function usersText({ users, usersLeftOut }: ServiceState): string {
  const nodes = usersLeftOut ? `More than ${grouped(users.length)} nodes` : counted(users.length, 'node')
  return `${nodes} ${users.length === 1 ? 'uses' : 'use'}`
}

function Shown({ state }: { readonly state: ServiceState }) {
  const { name, shared, limits, backlog, bridges } = state
  return (
    <>
      <Troubles state={state} />
      <Facts
        of={[
          [
            'Declared',
            limits.length === 0 ? 'no rate' : limits.map((one) => <div key={limitText(one)}>{limitText(one)}</div>),
          ],
          [
            'Open at once',
            `${shared.inFlight === null ? '' : `${grouped(shared.inFlight)} now; `}${inFlightText(state)}`,
          ],
          ['Used, over the last ten seconds', <Use key="u" of={shared} />],
          ['Calls that wait for it', grouped(shared.waiting)],
          ['429', <AskedAndResume key="a" name={name} of={shared} />],
          ['Next call may be made', <Time key="n" at={shared.nextPermitAt} relative />],
          ['Backlog', counted(backlog, 'message')],
          ['The backlog will be done', <Done key="d" state={state} />],
          ['Asked', counted(bridges.live.length, 'bridge')],
        ]}
      />
      <Tenants state={state} />
      <Users state={state} />
    </>
  )
}

/** What keeps the figures or the limits from being whole. */
function Troubles({ state: { shared, bridges } }: { readonly state: ServiceState }) {
  const silent = bridges.silent.length
  const away = shared.awayBridges.length
  return (
    <>
      {bridges.live.length === 0 && (
        <Alert color="yellow" icon={<Icon name="warning" />} title="No bridge lives">
          Nothing is called. Start one with <code>sluice bridge</code>; what waits is kept.
        </Alert>
      )}
      {silent > 0 && (
        <Alert
          color="yellow"
          icon={<Icon name="warning" />}
          title={`${counted(silent, 'bridge')} did not answer in time`}
        >
          What they hold is not in these figures: {bridges.silent.join(', ')}
        </Alert>
      )}
      {away > 0 && (
        <Alert
          color="yellow"
          icon={<Icon name="warning" />}
          title={`${counted(away, 'bridge')} can’t share what they reserve`}
        >
          NATS does not keep it, so each goes on with its share of the rate: {shared.awayBridges.join(', ')}
        </Alert>
      )}
    </>
  )
}

interface RemoveProps {
  readonly name: string
  readonly etag: string | null
  readonly close: () => void
}

function Remove({ name, etag, close }: RemoveProps) {
  const [, navigate] = useLocation()
  const act = async (): Promise<void> => {
    await dataOf(engine.DELETE('/api/services/{name}', { params: { path: { name } }, headers: ifMatch(etag) }))
    told(`The service ${name} is removed`)
    navigate('/services')
  }
  return (
    <Confirm
      title={`Remove the service ${name}?`}
      verb="Remove"
      danger
      touches={[{ count: 0, one: 'node', becomes: 'use it, so no calls lose their limits' }]}
      act={act}
      close={close}
    >
      Its limits and what is known of its 429s go.
    </Confirm>
  )
}
