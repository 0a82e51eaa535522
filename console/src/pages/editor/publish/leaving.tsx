import { Radio, Stack, Text } from '@mantine/core'
import type { LeavingNode } from '../../../api/engine.ts'
import { Rows } from '../../../parts/table/rows.tsx'
import type { Column } from '../../../parts/table/rows.tsx'
import { counted, grouped } from '../../../parts/show/format.ts'

export type InFlight = 'refuse' | 'drain' | 'trash'

interface LeavingProps {
  readonly leaving: readonly LeavingNode[]
  readonly inFlight: InFlight
  readonly choose: (inFlight: InFlight) => void
}

const columns: readonly Column<LeavingNode>[] = [
  { title: 'Node that goes', cell: ({ node }) => node },
  { title: 'Waiting there', cell: ({ waiting }) => grouped(waiting), right: true },
  { title: 'In flight', cell: ({ inFlight }) => grouped(inFlight), right: true },
]

/** What lies at nodes that go, and what is to become of it. */
export function Leaving({ leaving, inFlight, choose }: LeavingProps) {
  const count = leaving.reduce((sum, one) => sum + one.waiting + one.inFlight, 0)
  return (
    <Stack gap="xs">
      <Text size="sm">Messages are on their way: they lie at nodes that go, or may still come there.</Text>
      <Rows label="Nodes that go" columns={columns} items={leaving} idOf={({ node }) => node} />
      <Radio.Group
        value={inFlight}
        onChange={(value) => choose(value)}
        label="What becomes of messages at nodes that go"
        size="xs"
      >
        <Stack gap={8} mt={6}>
          {choices(count).map(({ value, label, description }) => (
            <Radio key={value} value={value} label={label} description={description} size="xs" />
          ))}
        </Stack>
      </Radio.Group>
    </Stack>
  )
}

const choices = (count: number) =>
  [
    {
      value: 'refuse',
      label: 'Don’t publish while there are any',
      description: 'Nothing changes then. Publish again when they are done.',
    },
    {
      value: 'drain',
      label: 'Handle them as before',
      description: 'The node takes no more starts, works off what it has, and goes when it is empty.',
    },
    {
      value: 'trash',
      label: 'Put them into Trash',
      description: `${counted(count, 'message')} now, and what still comes: without a call, to be replayed elsewhere. Start, cron and webhook nodes are worked off all the same.`,
    },
  ] as const
