import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/workers',
  title: 'Workers',
  menu: { order: 7, icon: 'workers' },
  load: () => import('./page.tsx'),
}
