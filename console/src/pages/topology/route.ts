import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/topologies/:topology',
  title: 'Topology',
  menu: null,
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
