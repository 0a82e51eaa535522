import { Stack, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine } from '../../api/engine.ts'
import type { NewToken, Token } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { useSession, useWhyNot } from '../../api/session.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Listed } from '../../parts/table/listed.tsx'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { useList } from '../../parts/table/use-list.ts'
import { Page } from '../../parts/page.tsx'
import { Sign } from '../../parts/show/sign.tsx'
import { Time, useNow } from '../../parts/show/time.tsx'
import { told } from '../../parts/toast.ts'
import { CreateToken } from './create.tsx'
import { useTopologyNames } from './names.ts'
import { ShownOnce } from './shown-once.tsx'

type Opened =
  | { readonly kind: 'create' }
  | { readonly kind: 'made'; readonly token: NewToken }
  | { readonly kind: 'delete'; readonly token: Token }

export default function TokensPage() {
  const lacking = useWhyNot('admin')
  const [opened, setOpened] = useState<Opened | null>(null)
  const close = (): void => setOpened(null)
  if (lacking !== null)
    return (
      <Page title="Tokens">
        <Empty icon="tokens" title="Only administrators see tokens">
          {lacking}. Ask whoever runs this engine.
        </Empty>
      </Page>
    )
  return (
    <Page
      title="Tokens"
      actions={
        <ActButton needs="admin" onClick={() => setOpened({ kind: 'create' })}>
          Make a token
        </ActButton>
      }
    >
      <TokenList remove={(token) => setOpened({ kind: 'delete', token })} />
      {opened?.kind === 'create' && <CreateToken close={close} made={(token) => setOpened({ kind: 'made', token })} />}
      {opened?.kind === 'made' && <ShownOnce token={opened.token} close={close} />}
      {opened?.kind === 'delete' && <DeleteToken token={opened.token} close={close} />}
    </Page>
  )
}

function TokenList({ remove }: { readonly remove: (token: Token) => void }) {
  const names = useTopologyNames()
  const { tokenId } = useSession()
  const list = useList({
    queryKey: keys.tokens(),
    ask: (after) => dataOf(engine.GET('/api/tokens', { params: { query: { limit: 100, ...after } } })),
  })
  const columns: readonly Column<Token>[] = [
    {
      title: 'Name',
      cell: ({ id, name }) => (
        <>
          {name}
          {id === tokenId && (
            <Text span size="xs" c="dimmed">
              {' '}
              (yours)
            </Text>
          )}
        </>
      ),
    },
    { title: 'May', cell: ({ scopes }) => scopes.join(', ') },
    {
      title: 'Of',
      cell: ({ topologyId }) => (topologyId === null ? 'all topologies' : (names.get(topologyId) ?? topologyId)),
    },
    {
      title: 'Last used',
      cell: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : <Time at={lastUsedAt} relative />),
      tight: true,
    },
    { title: 'Ends', cell: ({ expiresAt }) => <Ends at={expiresAt} />, tight: true },
    { title: 'Made', cell: ({ createdAt }) => <Time at={createdAt} relative />, tight: true },
    {
      title: 'Delete',
      cell: (token) => (
        <ActButton
          variant="subtle"
          color="red"
          size="compact-xs"
          needs="admin"
          aria-label={`Delete ${token.name}`}
          onClick={() => remove(token)}
        >
          Delete
        </ActButton>
      ),
      bare: true,
      tight: true,
    },
  ]
  return (
    <Listed
      list={list}
      empty={
        <Empty icon="tokens" title="There is no token but the administrator’s">
          Make one for each person and program, with no more scopes than it needs: then the audit log says who did what,
          and one can be taken away without the others.
        </Empty>
      }
    >
      {(items) => <Rows label="Tokens" columns={columns} items={items} idOf={({ id }) => id} />}
    </Listed>
  )
}

function Ends({ at }: { readonly at: string | null }) {
  const now = useNow(at !== null)
  if (at === null) return <>never</>
  if (new Date(at).getTime() > now) return <Time at={at} relative />
  return <Sign tone="bad">has ended</Sign>
}

function DeleteToken({
  token: { id, name, lastUsedAt },
  close,
}: {
  readonly token: Token
  readonly close: () => void
}) {
  const client = useQueryClient()
  const { tokenId } = useSession()
  const act = async (): Promise<void> => {
    await dataOf(engine.DELETE('/api/tokens/{id}', { params: { path: { id } } }))
    told(`The token ${name} is deleted`)
    await client.invalidateQueries({ queryKey: keys.tokens() })
  }
  return (
    <Confirm title={`Delete the token ${name}?`} verb="Delete" danger act={act} close={close}>
      <Stack gap={6}>
        <span>
          Whoever uses it is refused from that moment on; its logins and the event streams that it has open end, too. It
          can’t be brought back.
        </span>
        <span>
          {lastUsedAt === null ? (
            'It was never used.'
          ) : (
            <>
              It was last used <Time at={lastUsedAt} relative />.
            </>
          )}
        </span>
        {id === tokenId && <b>You are logged in with it: you will be logged out.</b>}
      </Stack>
    </Confirm>
  )
}
