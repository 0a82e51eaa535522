import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/status',
  title: 'Status',
  menu: { order: 22, icon: 'status' },
  load: () => import('./page.tsx'),
}
