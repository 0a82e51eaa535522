import { Page } from '../../parts/page.tsx'

export default function TopologyPage() {
  return <Page title="Topology">{null}</Page>
}
