import { Anchor, Group, Loader, Stack, Text, Title } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { TrashMessage } from '../../../api/engine.ts'
import { detailOf, explain } from '../../../parts/life/explain.ts'
import { StateBadge } from '../../../parts/life/state-badge.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { Time } from '../../../parts/show/time.tsx'
import { Acts } from './acts.tsx'
import { Contents } from './contents.tsx'
import { Editor } from './editor.tsx'
import classes from './message.module.css'
import { useMessage } from './message.ts'
import { useSettling } from './settling.ts'
import { dropTyped, hasTyped } from './typed.ts'

interface InspectorProps {
  readonly id: string
  /** At the right of the title. */
  readonly corner: ReactNode
}

/** One message in Trash: why it failed in plain words first, then all that it went through, and what can be done. */
export function Inspector({ id, corner }: InspectorProps) {
  const { data, error, refetch } = useMessage(id)
  const [isEditing, setEditing] = useState(() => hasTyped(id))
  const close = (): void => {
    dropTyped(id)
    setEditing(false)
  }
  if (!data)
    return (
      <Stack p="sm">
        <Group justify="flex-end">{corner}</Group>
        {error ? <Problem error={error} again={() => void refetch()} /> : <Loader size="sm" aria-label="Loading" />}
      </Stack>
    )
  const { item } = data
  return (
    <Stack gap="sm" p="sm">
      <Why item={item} corner={corner} />
      <Acts known={data} isEditing={isEditing} edit={() => setEditing(true)} />
      {isEditing && item.state === 'open' ? <Editor known={data} close={close} /> : <Contents item={item} />}
      <Facts item={item} />
    </Stack>
  )
}

function Why({ item, corner }: { readonly item: TrashMessage; readonly corner: ReactNode }) {
  const settling = useSettling(item.id)
  const { what, why, mend } = explain(item.error, item.node, item.attempts.length)
  const { limit, said } = detailOf(item.error)
  const state = item.state === 'open' ? (settling ?? item.state) : item.state
  return (
    <Stack gap={6}>
      <Group justify="space-between" align="flex-start" wrap="nowrap" gap="sm">
        <Title order={2} className={classes.what}>
          {what}
        </Title>
        <Group gap={6} wrap="nowrap">
          <StateBadge state={state} />
          {corner}
        </Group>
      </Group>
      {said !== '' && <pre className={classes.said}>{said}</pre>}
      <Text size="sm">
        {why}
        {limit !== null && ` It wasn’t tried again: ${limit}.`}
      </Text>
      {item.state === 'open' ? (
        <Text size="sm" c="dimmed">
          {mend}
        </Text>
      ) : (
        <Text size="sm">
          {item.state === 'replayed' ? 'Replayed' : 'Discarded'} <Time at={item.settledAt} relative />
          {item.reason !== null && <>: {item.reason}</>}
        </Text>
      )}
    </Stack>
  )
}

/** What it is tied to. */
function Facts({ item }: { readonly item: TrashMessage }) {
  const { topology, node, runId, messageId, revision, createdAt, fingerprint, tenant, traceId } = item
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Failed', <Time key="at" at={createdAt} />],
    ['At', `${topology} › ${node}, revision ${revision}`],
    ['Run', <To key="run" href={`/runs/${runId}`} text={runId} />],
    ['Message', messageId],
    ...(tenant === null ? [] : ([['Tenant', tenant]] as const)),
    ['Trace', traceId],
    [
      'Alike',
      <To
        key="kind"
        href={`/trash?fingerprint=${fingerprint}&topology=${encodeURIComponent(topology)}`}
        text="all that failed like this"
      />,
    ],
  ]
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function To({ href, text }: { readonly href: string; readonly text: string }) {
  return (
    <Anchor component={Link} href={href} size="sm">
      {text}
    </Anchor>
  )
}
