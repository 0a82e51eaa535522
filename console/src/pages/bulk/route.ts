import type { PageRoute } from '../route.ts'

export const route: PageRoute = {
  path: '/trash/bulks/:bulk',
  title: 'Bulk',
  menu: null,
  forOneTopology: true,
  load: () => import('./page.tsx'),
}
