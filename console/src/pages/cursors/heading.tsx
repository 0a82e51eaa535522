import { Crumbs } from '../../parts/page.tsx'

interface ReadingHeadingProps {
  /** Where it is one of. */
  readonly list: { readonly title: string; readonly href: string }
  readonly of: { readonly topology: string; readonly topologyId: string; readonly node: string }
}

/** Of a cursor or a watermark: the way back to the list, and to the topology. */
export function ReadingHeading({ list, of: { topology, topologyId, node } }: ReadingHeadingProps) {
  return <Crumbs of={[list, { title: topology, href: `/topologies/${topologyId}` }]} title={node} />
}
