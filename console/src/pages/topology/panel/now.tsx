import { Skeleton, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Blocker, Node, Topology } from '../../../api/engine.ts'
import { keys } from '../../../api/keys.ts'
import { whyQuery } from '../../../api/queries.ts'
import { ActButton } from '../../../parts/act-button.tsx'
import { counted, duration, grouped, orDash, rate } from '../../../parts/show/format.ts'
import { Icon } from '../../../parts/icons.tsx'
import { Pairs } from '../../../parts/show/pairs.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { Time } from '../../../parts/show/time.tsx'
import { dataOf, engine } from '../../../api/engine.ts'
import { useSwitch } from '../actions/use-switch.ts'
import type { Figures } from '../figures.ts'
import classes from './panel.module.css'

interface NowProps {
  readonly topology: Topology
  readonly node: Node
  readonly figures: Figures
}

/** What the node does now, why its messages wait, and when that will be over. */
export function Now({ topology, node, figures }: NowProps) {
  const { waiting, inFlight, delayed, replies, ratePerSecond, oldestMs, worker } = figures
  const isPublished = topology.visibility === 'public' && node.published !== null
  return (
    <Stack gap="md">
      <Pairs
        items={[
          ['Waiting', orDash(waiting, grouped)],
          ['of these', delayed + replies === 0 ? null : splitText(delayed, replies)],
          [
            'In flight',
            node.prefetch === null
              ? null
              : `${orDash(inFlight, grouped)} of ${node.published?.prefetch ?? node.prefetch}`,
          ],
          ['Rate', rate(ratePerSecond)],
          ['Oldest', oldestMs === null ? null : `${duration(oldestMs)} in the queue`],
          ['Worker', node.worker],
          ['Instances', worker === null ? null : `${worker.usable} of ${worker.instances} can be called`],
          ['Paused', node.pausedReason],
        ]}
      />
      <PauseButton topology={topology} node={node} />
      {isPublished ? (
        <WhyItWaits topologyId={topology.id} nodeId={node.id} />
      ) : (
        <Text size="sm" c="dimmed">
          It isn’t published, so it has no queue.
        </Text>
      )}
    </Stack>
  )
}

function splitText(delayed: number, replies: number): string {
  const parts = [
    delayed > 0 ? `${grouped(delayed)} delayed` : null,
    replies > 0 ? `${counted(replies, 'reply', 'replies')} to split` : null,
  ]
  return parts.filter((part) => part !== null).join(', ')
}

function PauseButton({ topology, node }: Pick<NowProps, 'topology' | 'node'>) {
  const { id, name } = node
  const isOwn = node.pausedBy === 'node'
  const pause = useSwitch<readonly Node[]>({
    shownBy: keys.nodes(topology.id),
    show: (nodes, isOn) => nodes.map((one) => (one.id === id ? pausedAs(one, isOn, topology.paused) : one)),
    takeBack: (nodes, before) => nodes.map((one) => (one.id === id ? pausedLike(one, before) : one)),
    set: (isOn) => dataOf(engine.PATCH('/api/nodes/{id}', { params: { path: { id } }, body: { paused: isOn } })),
    refused: (isOn) => (isOn ? `${name} was not paused` : `${name} was not resumed`),
    done: (isOn) => (isOn ? `${name} is paused` : `${name} goes on`),
  })
  return (
    <div>
      <ActButton
        needs="operate"
        variant="default"
        whyNot={pause.whyNot}
        onClick={() => pause.set(!isOwn)}
        leftSection={<Icon name={isOwn ? 'play' : 'pause'} size={12} />}
      >
        {isOwn ? 'Resume the node' : 'Pause the node'}
      </ActButton>
    </div>
  )
}

/** What its topology does to it stays. */
function pausedAs(node: Node, isOn: boolean, isTopologyPaused: boolean): Node {
  const pausedBy = isOn ? 'node' : isTopologyPaused ? 'topology' : null
  return { ...node, paused: pausedBy !== null, pausedBy, pausedReason: null }
}

function pausedLike(node: Node, before: readonly Node[]): Node {
  const known = before.find(({ id }) => id === node.id)
  if (known === undefined) return node
  const { paused, pausedBy, pausedReason } = known
  return { ...node, paused, pausedBy, pausedReason }
}

function WhyItWaits({ topologyId, nodeId }: { readonly topologyId: string; readonly nodeId: string }) {
  const { data, error, refetch } = useQuery(whyQuery(topologyId, nodeId))
  if (error !== null && data === undefined) return <Problem error={error} again={() => void refetch()} />
  if (data === undefined) return <Skeleton h={80} />
  const { blockers, estimate, notes, bridges } = data
  return (
    <section aria-label="Why it waits">
      <Title order={3}>Why it waits</Title>
      {blockers.length === 0 && (
        <Text size="sm" c="dimmed" mt={4}>
          Nothing waits.
        </Text>
      )}
      {blockers.map((blocker) => (
        <Because key={`${blocker.kind} ${blocker.of} ${blocker.text}`} blocker={blocker} />
      ))}
      {blockers.length > 0 && (
        <Text size="sm" mt={6}>
          {estimate.doneAt === null ? (
            `When it will be done isn’t known: ${estimate.reason ?? ''}`
          ) : (
            <>
              Done <Time at={estimate.doneAt} relative />
            </>
          )}
        </Text>
      )}
      {bridges.silent.length > 0 && (
        <Text size="xs" c="dimmed">
          {counted(bridges.silent.length, 'bridge')} did not answer.
        </Text>
      )}
      {notes.map((note) => (
        <Text key={note} size="xs" c="dimmed">
          {note}
        </Text>
      ))}
    </section>
  )
}

function Because({ blocker: { count, of, text, since, until } }: { readonly blocker: Blocker }) {
  return (
    <div className={classes.blocker}>
      <b>{of === 'messages' ? counted(count, 'message') : counted(count, 'reply', 'replies')}:</b> {text}
      {(since !== null || until !== null) && (
        <Text size="xs" c="dimmed">
          {since !== null && (
            <>
              since <Time at={since} relative />
            </>
          )}
          {until !== null && (
            <>
              {since === null ? '' : ', '}until <Time at={until.last} relative />
            </>
          )}
        </Text>
      )}
    </div>
  )
}
