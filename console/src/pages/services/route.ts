import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/services',
  title: 'Services',
  menu: { order: 6, icon: 'services' },
  load: () => import('./page.tsx'),
}
