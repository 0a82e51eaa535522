import { ActionIcon, Group, Loader, Menu, Stack, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import { Link } from 'wouter'
import type { TrashGroup } from '../../api/engine.ts'
import { dataOf, engine } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { useWhyNot } from '../../api/session.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { compact, counted, grouped } from '../../parts/show/format.ts'
import { withQuery } from '../../parts/filters/query.ts'
import type { Query } from '../../parts/filters/query.ts'
import { Icon } from '../../parts/icons.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Time } from '../../parts/show/time.tsx'
import { apiFilter, bulkFilter } from './address.ts'
import type { TrashAddress } from './address.ts'
import { BulkDialog } from './bulk/dialog.tsx'
import type { BulkAsk } from './bulk/ask.ts'
import { NothingHere } from './nothing.tsx'
import classes from './trash.module.css'

export const kindsMax = 200

/** The kinds of failures, by how many there are: what is to be mended is seen at once. */
export function useKinds(address: TrashAddress, isEnabled = true) {
  return useQuery({
    queryKey: keys.trash(null, 'kinds', address.filter, address.state),
    queryFn: async () => {
      const query = { ...apiFilter(address), limit: kindsMax }
      return (await dataOf(engine.GET('/api/trash/groups', { params: { query } }))).items
    },
    placeholderData: keepPreviousData,
    enabled: isEnabled,
  })
}

export function Kinds({ address, query }: { readonly address: TrashAddress; readonly query: Query }) {
  const { data, error, refetch } = useKinds(address)
  const [ask, setAsk] = useState<BulkAsk | null>(null)
  if (error && !data) return <Problem error={error} again={() => void refetch()} />
  if (!data) return <Loader size="sm" aria-label="Loading" />
  if (data.length === 0) return <NothingHere address={address} />
  const total = data.reduce((sum, { count }) => sum + count, 0)
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed" role="status">
        {counted(total, 'message')} of {counted(data.length, 'kind')}
        {data.length === kindsMax && ' (the largest ones)'}
      </Text>
      <KindRows kinds={data} address={address} query={query} ask={setAsk} />
      {ask && <BulkDialog ask={ask} close={() => setAsk(null)} />}
    </Stack>
  )
}

interface KindRowsProps {
  readonly kinds: readonly TrashGroup[]
  readonly address: TrashAddress
  readonly query: Query
  readonly ask: (ask: BulkAsk) => void
}

/** What fits on a screen. */
const firstDrawn = 20

/** The largest ones at once, the others when the browser has time for them. */
function KindRows({ kinds, ...rest }: KindRowsProps) {
  const drawn = useDeferredValue(kinds, kinds.slice(0, firstDrawn))
  return (
    <ul className={classes.kinds}>
      {drawn.map((kind) => (
        <Kind key={`${kind.topologyId} ${kind.fingerprint}`} kind={kind} most={drawn[0]?.count ?? 1} {...rest} />
      ))}
    </ul>
  )
}

interface KindProps {
  readonly kind: TrashGroup
  readonly most: number
  readonly address: TrashAddress
  readonly query: Query
  readonly ask: (ask: BulkAsk) => void
}

function Kind({ kind, most, address, query, ask }: KindProps) {
  const { error, count, node, topology, fingerprint, firstSeen, lastSeen } = kind
  const href = withQuery('/trash', query, { topology, node: null, fingerprint, view: null, message: null })
  return (
    <li className={classes.kind}>
      <Link href={href} className={classes.kindLink}>
        <span className={classes.count}>
          <b title={grouped(count)}>{compact(count)}</b>
          <span className={classes.share} style={{ width: `${Math.max(4, (100 * count) / most)}%` }} />
        </span>
        <span className={classes.kindText}>
          <span className={classes.kindTitle}>{error.title}</span>
          {error.detail !== undefined && <span className={classes.kindDetail}>{error.detail}</span>}
          <span className={classes.kindPlace}>
            {topology} › {node}
            {error.status !== undefined && ` · ${error.status}`}
          </span>
        </span>
        <span className={classes.seen}>
          <span>
            last <Time at={lastSeen} relative />
          </span>
          <span>
            first <Time at={firstSeen} relative />
          </span>
        </span>
      </Link>
      {address.state === 'open' && <KindActs kind={kind} address={address} ask={ask} />}
    </li>
  )
}

/** A whole kind at once, or what the filter leaves of it. */
function KindActs({ kind, address, ask }: Pick<KindProps, 'kind' | 'address' | 'ask'>) {
  const { topologyId, fingerprint, count } = kind
  const filter = bulkFilter(address)
  const lacking = useWhyNot('operate')
  const begin = (action: BulkAsk['action']): void =>
    ask({
      action,
      filter: { ...filter, topology: topologyId, fingerprint },
      count,
      what: `“${kind.error.title}” at ${kind.node}`,
    })
  return (
    <Group gap={4} className={classes.kindActs} wrap="nowrap">
      <ActButton needs="operate" variant="default" onClick={() => begin('replay')} visibleFrom="sm">
        Replay {compact(count)}…
      </ActButton>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon aria-label={`More for ${kind.error.title}`}>
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {lacking !== null && <Menu.Label>{lacking}</Menu.Label>}
          <Menu.Item disabled={lacking !== null} onClick={() => begin('replay')}>
            Replay all…
          </Menu.Item>
          <Menu.Item disabled={lacking !== null} color="red" onClick={() => begin('discard')}>
            Discard all…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  )
}
