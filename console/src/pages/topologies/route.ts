import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/topologies',
  title: 'Topologies',
  menu: { order: 1, icon: 'topologies' },
  load: () => import('./page.tsx'),
}
