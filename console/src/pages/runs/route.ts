import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/runs',
  title: 'Runs',
  menu: { order: 2, icon: 'runs' },
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
