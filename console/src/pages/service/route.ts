import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/services/:name',
  title: 'Service',
  menu: null,
  load: () => import('./page.tsx'),
}
