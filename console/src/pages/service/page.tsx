import { Alert } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation, useParams } from 'wouter'
import { answerOf, dataOf, engine, ifMatch } from '../../api/engine.ts'
import type { Service, ServiceState } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import { Pinned } from '../../parts/form/pinned.tsx'
import type { Pin } from '../../parts/form/pinned.tsx'
import { counted, grouped } from '../../parts/show/format.ts'
import { Icon } from '../../parts/icons.tsx'
import { Loading } from '../../parts/table/listed.tsx'
import { Crumbs, Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Facts } from '../../parts/show/facts.tsx'
import { Time } from '../../parts/show/time.tsx'
import { told } from '../../parts/toast.ts'
import { Done } from '../services/done.tsx'
import { ServiceForm, toldOfService } from '../services/form.tsx'
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
  const unread = declared.data === undefined ? 'What is declared is not read yet' : null
  return (
    <Page
      title={name}
      heading={<Crumbs of={[{ title: 'Services', href: '/services' }]} title={name} />}
      actions={
        <>
          <ActButton variant="default" needs="design" whyNot={unread} onClick={() => setOpened('edit')}>
            Change limits
          </ActButton>
          <ActButton
            variant="default"
            needs="design"
            whyNot={unread ?? whyKept(data)}
            onClick={() => setOpened('remove')}
          >
            Remove
          </ActButton>
        </>
      }
    >
      {error !== null && data === undefined && <Problem error={error} again={() => void refetch()} />}
      {error === null && declared.error !== null && declared.data === undefined && (
        <Problem error={declared.error} again={() => void declared.refetch()} />
      )}
      {data ? <Shown state={data} /> : error === null && <Loading />}
      {opened !== null && declared.data && (
        <Pinned live={declared.data} again={() => void declared.refetch()} tell={toldOfService}>
          {(pin) => (opened === 'edit' ? <ServiceForm of={pin} close={close} /> : <Remove of={pin} close={close} />)}
        </Pinned>
      )}
    </Page>
  )
}

/** Why it can't be removed now; null: nothing uses it. */
function whyKept(state: ServiceState | undefined): string | null {
  if (state === undefined) return 'Which nodes use it is not known yet'
  return state.users.length > 0 ? `${usersText(state)} it: take it from them first` : null
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
  readonly of: Pin<Service>
  readonly close: () => void
}

function Remove({ of, close }: RemoveProps) {
  const client = useQueryClient()
  const [, navigate] = useLocation()
  const { name } = of.data
  const act = async (): Promise<void> => {
    try {
      await dataOf(engine.DELETE('/api/services/{name}', { params: { path: { name } }, headers: ifMatch(of.etag) }))
    } catch (error) {
      await client.invalidateQueries({ queryKey: keys.services(name) })
      throw error
    }
    told(`The service ${name} is removed`)
    navigate('/services')
  }
  return (
    <Confirm
      title={`Remove the service ${name}?`}
      verb="Remove"
      danger
      touches={[{ count: 0, one: 'node', becomes: 'use it, so no calls lose their limits' }]}
      race={of.race}
      act={act}
      close={close}
    >
      Its limits and what is known of its 429s go.
    </Confirm>
  )
}
