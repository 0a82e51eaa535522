import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/cursors/:id',
  title: 'Cursor',
  menu: null,
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
