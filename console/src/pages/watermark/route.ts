import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/cursors/watermarks/:id',
  title: 'Watermark',
  menu: null,
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
