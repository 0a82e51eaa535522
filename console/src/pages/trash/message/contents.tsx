import { Loader, Select, Stack, Table, Tabs, Text } from '@mantine/core'
import { useState } from 'react'
import type { TrashMessage } from '../../../api/engine.ts'
import { useWhyNot } from '../../../api/session.ts'
import { BodyView, readable } from '../../../parts/body/body-view.tsx'
import { DifferenceView } from '../../../parts/body/difference-view.tsx'
import { Attempts } from '../../../parts/life/attempts.tsx'
import { MessageLife } from '../../../parts/life/message-life.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { Time } from '../../../parts/show/time.tsx'
import { useContent } from './message.ts'

/** What it holds, what it went through, and what became of it. */
export function Contents({ item }: { readonly item: TrashMessage }) {
  const { attempts, versions, state } = item
  return (
    <Tabs defaultValue={state === 'open' ? 'body' : 'life'} keepMounted={false}>
      <Tabs.List>
        <Tabs.Tab value="body">Body</Tabs.Tab>
        <Tabs.Tab value="headers">Headers</Tabs.Tab>
        <Tabs.Tab value="attempts">Attempts {attempts.length}</Tabs.Tab>
        {versions.length > 0 && <Tabs.Tab value="versions">Edits {versions.length}</Tabs.Tab>}
        <Tabs.Tab value="life">{state === 'open' ? 'Its way' : 'What became of it'}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="body" pt="sm">
        <Content item={item} part="body" />
      </Tabs.Panel>
      <Tabs.Panel value="headers" pt="sm">
        <Content item={item} part="headers" />
      </Tabs.Panel>
      <Tabs.Panel value="attempts" pt="sm">
        <Attempts attempts={attempts} />
      </Tabs.Panel>
      <Tabs.Panel value="versions" pt="sm">
        <Versions item={item} />
      </Tabs.Panel>
      <Tabs.Panel value="life" pt="sm">
        <MessageLife runId={item.runId} messageId={item.messageId} />
      </Tabs.Panel>
    </Tabs>
  )
}

const names = (version: number): string => (version === 0 ? 'As it failed' : `Version ${version}`)

function Content({ item, part }: { readonly item: TrashMessage; readonly part: 'body' | 'headers' }) {
  const newest = item.versions.length
  const [chosen, setChosen] = useState<number | null>(null)
  const version = chosen ?? newest
  const lacks = useWhyNot('payload')
  const { data, error, refetch } = useContent(item.id, version)
  if (lacks !== null)
    return (
      <Text size="sm" c="dimmed">
        {lacks}: what messages hold isn’t shown.
      </Text>
    )
  if (error && !data) return <Problem error={error} again={() => void refetch()} />
  return (
    <Stack gap={8}>
      {newest > 0 && (
        <Select
          aria-label="Version"
          data={[...Array(newest + 1).keys()].map((one) => ({ value: String(one), label: names(one) }))}
          value={String(version)}
          onChange={(value) => setChosen(Number(value ?? newest))}
          allowDeselect={false}
          w={150}
        />
      )}
      {!data ? (
        <Loader size="xs" aria-label="Loading" />
      ) : part === 'body' ? (
        <BodyView key={version} body={data.body} fileName={`${item.id}-${version}`} />
      ) : (
        <Headers headers={{ 'content-type': data.body.contentType, ...data.headers }} />
      )}
    </Stack>
  )
}

function Headers({ headers }: { readonly headers: Readonly<Record<string, string>> }) {
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Header</Table.Th>
          <Table.Th>Value</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {Object.entries(headers).map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Td>{name}</Table.Td>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

/** Who edited, when, why; and what differs. */
function Versions({ item }: { readonly item: TrashMessage }) {
  const { versions } = item
  const [from, setFrom] = useState(0)
  const [to, setTo] = useState(versions.length)
  const before = useContent(item.id, from)
  const after = useContent(item.id, to)
  const all = [...Array(versions.length + 1).keys()].map((one) => ({ value: String(one), label: names(one) }))
  const [a, b] = [before.data && readable(before.data.body), after.data && readable(after.data.body)]
  return (
    <Stack gap="sm">
      <Table>
        <Table.Tbody>
          {versions.map(({ version, by, reason, createdAt }) => (
            <Table.Tr key={version}>
              <Table.Td>{names(version)}</Table.Td>
              <Table.Td>{by}</Table.Td>
              <Table.Td>
                <Time at={createdAt} />
              </Table.Td>
              <Table.Td>
                {reason ?? (
                  <Text span size="sm" c="dimmed">
                    no reason given
                  </Text>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <div style={{ display: 'flex', gap: 8 }}>
        <Select
          aria-label="From"
          data={all}
          value={String(from)}
          allowDeselect={false}
          onChange={(v) => setFrom(Number(v))}
          w={140}
        />
        <Select
          aria-label="To"
          data={all}
          value={String(to)}
          allowDeselect={false}
          onChange={(v) => setTo(Number(v))}
          w={140}
        />
      </div>
      {typeof a === 'string' && typeof b === 'string' ? (
        <DifferenceView before={a} after={b} names={[names(from), names(to)]} />
      ) : (
        (a === null || b === null) && <Text size="sm">What is no text can’t be compared here: download both.</Text>
      )}
    </Stack>
  )
}
