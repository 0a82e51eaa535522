import { Page } from '../../parts/page.tsx'

export default function TopologiesPage() {
  return <Page title="Topologies">{null}</Page>
}
