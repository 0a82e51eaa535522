import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/audit',
  title: 'Audit',
  menu: { order: 21, icon: 'audit' },
  load: () => import('./page.tsx'),
}
