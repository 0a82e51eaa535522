import { Anchor, Badge, Group, Table, Text } from '@mantine/core'
import { Link } from 'wouter'
import type { TopologyOverview } from '../../api/engine.ts'
import { useAllDepths } from '../../live/live.tsx'
import { compact, grouped, orDash, rate } from '../../parts/show/format.ts'
import { RunState } from '../../parts/show/run-state.tsx'
import { Time } from '../../parts/show/time.tsx'
import { Health, TopologyState } from '../../parts/show/topology-state.tsx'
import { backlogOf } from './backlog.ts'
import classes from './topologies.module.css'

interface RowsProps {
  readonly items: readonly TopologyOverview[]
  /** Of the filter before. */
  readonly isOld: boolean
}

export function Rows({ items, isOld }: RowsProps) {
  const depths = useAllDepths()
  return (
    <div className={classes.box} data-old={isOld}>
      <Table highlightOnHover stickyHeader stickyHeaderOffset={44}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th className={classes.middle}>State</Table.Th>
            <Table.Th className={classes.wide}>Health</Table.Th>
            <Table.Th
              className={`${classes.number ?? ''} ${classes.middle ?? ''}`}
              title="Messages that its nodes settle a second, all nodes added up"
            >
              Throughput
            </Table.Th>
            <Table.Th className={classes.number}>Backlog</Table.Th>
            <Table.Th className={classes.number}>Failures</Table.Th>
            <Table.Th className={classes.wide}>Last run</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((item) => (
            <Row key={item.id} item={item} backlog={backlogOf(depths[item.id])} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function Row({ item, backlog }: { readonly item: TopologyOverview; readonly backlog: number | null }) {
  const { name, description, labels, openTrash, ratePerSecond, lastRun, attention, visibility } = item
  const isDraft = visibility === 'draft'
  return (
    <Table.Tr>
      <Table.Td className={classes.name}>
        <Group gap={6} wrap="nowrap">
          <Anchor
            component={Link}
            href={`/topologies/${name}`}
            className={classes.link}
            underline="hover"
            fw={600}
            size="sm"
            truncate
          >
            {name}
          </Anchor>
          <Labels labels={labels} />
        </Group>
        {description !== null && (
          <Text size="xs" c="dimmed" truncate title={description}>
            {description}
          </Text>
        )}
        <div className={classes.narrow}>
          <TopologyState {...item} />
        </div>
      </Table.Td>
      <Table.Td className={classes.middle}>
        <TopologyState {...item} />
      </Table.Td>
      <Table.Td className={classes.wide}>
        <Health attention={attention} isDraft={isDraft} />
      </Table.Td>
      <Table.Td className={`${classes.number ?? ''} ${classes.middle ?? ''}`}>
        {isDraft ? '–' : rate(ratePerSecond)}
      </Table.Td>
      <Table.Td className={classes.number} title={orDash(backlog, grouped)}>
        {isDraft && backlog === 0 ? '–' : orDash(backlog, compact)}
      </Table.Td>
      <Table.Td className={classes.number} data-bad={openTrash > 0}>
        {compact(openTrash)}
      </Table.Td>
      <Table.Td className={classes.wide}>
        {lastRun === null ? (
          <Text span size="sm" c="dimmed">
            never
          </Text>
        ) : (
          <Group gap={6} wrap="nowrap">
            <RunState state={lastRun.state} />
            <Text span size="sm" c="dimmed" className={classes.whole}>
              began <Time at={lastRun.startedAt} relative />
            </Text>
          </Group>
        )}
      </Table.Td>
    </Table.Tr>
  )
}

function Labels({ labels }: Pick<TopologyOverview, 'labels'>) {
  const texts = Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`))
  return texts.map((text) => (
    <Badge key={text} color="gray" variant="default" size="xs" className={classes.tag} title={text}>
      {text}
    </Badge>
  ))
}
