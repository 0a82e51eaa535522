import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/topologies/:topology/edit',
  title: 'Editor',
  menu: null,
  forOneTopology: true,
  isRenamed: true,
  load: () => import('./page.tsx'),
}
