import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/cursors',
  title: 'Cursors',
  menu: { order: 4, icon: 'cursors' },
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
