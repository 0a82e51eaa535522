import { Anchor, Title } from '@mantine/core'
import { Link } from 'wouter'

interface ReadingHeadingProps {
  /** Where it is one of. */
  readonly list: { readonly title: string; readonly href: string }
  readonly of: { readonly topology: string; readonly topologyId: string; readonly node: string }
}

/** Of a cursor or a watermark: the way back to the list, and to the topology. */
export function ReadingHeading({ list, of: { topology, topologyId, node } }: ReadingHeadingProps) {
  return (
    <Title order={1}>
      <Anchor component={Link} href={list.href} inherit>
        {list.title}
      </Anchor>
      {' / '}
      <Anchor component={Link} href={`/topologies/${topologyId}`} inherit>
        {topology}
      </Anchor>
      {` / ${node}`}
    </Title>
  )
}
