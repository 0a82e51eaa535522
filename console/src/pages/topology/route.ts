import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/topologies/:topology',
  title: 'Topology',
  menu: null,
  forOneTopology: true,
  isRenamed: true,
  load: () => import('./page.tsx'),
}
