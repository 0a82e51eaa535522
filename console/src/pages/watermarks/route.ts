import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/cursors/watermarks',
  title: 'Watermarks',
  menu: null,
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
