import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/workers/:name',
  title: 'Worker',
  menu: null,
  load: () => import('./page.tsx'),
}
