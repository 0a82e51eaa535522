import { Badge, Group, Tooltip } from '@mantine/core'
import type { Topology, TopologyStatusAttention } from '../../api/engine.ts'
import { Dot } from './dot.tsx'

type StateProps = Pick<Topology, 'visibility' | 'enabled' | 'paused' | 'pausedReason' | 'bridgeOutOfSync'>

/** What somebody has made of a topology: published or not, taking starts or not, resting. */
export function TopologyState({ visibility, enabled, paused, pausedReason, bridgeOutOfSync }: StateProps) {
  return (
    <Group gap={4} wrap="nowrap">
      <Badge flex="none" color={visibility === 'public' ? 'teal' : 'gray'}>
        {visibility === 'public' ? 'Published' : 'Draft'}
      </Badge>
      {!enabled && (
        <Tooltip label="It takes no starts; what is queued is finished">
          <Badge flex="none" color="gray">
            Disabled
          </Badge>
        </Tooltip>
      )}
      {paused && (
        <Tooltip label={pausedReason ?? 'It rests: messages stay queued'}>
          <Badge flex="none" color="yellow">
            Paused
          </Badge>
        </Tooltip>
      )}
      {bridgeOutOfSync && (
        <Tooltip label="Stored values of nodes aren’t what bridges go by">
          <Badge flex="none" color="yellow">
            Out of sync
          </Badge>
        </Tooltip>
      )}
    </Group>
  )
}

const attentionTexts: Readonly<Record<TopologyStatusAttention, { word: string; text: string }>> = {
  'queues-full': { word: 'Queues full', text: 'Its queues keep more than they may, and nothing of it can go' },
  breaker: { word: 'Calls fail', text: 'Most calls of a node fail: its messages are held back' },
  'held-back': { word: 'Held back', text: 'A message that isn’t settled keeps older ones from being compacted' },
  trash: { word: 'Failures', text: 'Messages lie in Trash' },
}

/** The worst that is known of it. */
export function Health({
  attention,
  isDraft,
}: {
  readonly attention: readonly TopologyStatusAttention[]
  readonly isDraft: boolean
}) {
  const [worst] = attention
  if (isDraft) return <Dot tone="quiet">Not running</Dot>
  if (worst === undefined) return <Dot tone="good">Healthy</Dot>
  return (
    <Tooltip label={attention.map((kind) => attentionTexts[kind].text).join('. ')}>
      <span>
        <Dot tone={worst === 'trash' ? 'warn' : 'bad'}>{attentionTexts[worst].word}</Dot>
      </span>
    </Tooltip>
  )
}
